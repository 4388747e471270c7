-- How many keys a set has.
CREATE FUNCTION lifecycle.size_v1(s lifecycle.subjects) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(upper(s.span) - lower(s.span),
                    cardinality(s.bigints), cardinality(s.uuids), cardinality(s.texts), 0)
$$
