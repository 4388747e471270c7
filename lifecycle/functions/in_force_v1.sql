-- Whether a hold or a restore that lasts until then, or without an end (NULL), is in force at a moment.
-- The planner writes it into the query.
CREATE FUNCTION lifecycle.in_force_v1(until timestamptz, moment timestamptz) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT until IS NULL OR until > moment
$$
