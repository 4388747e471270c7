-- What the engine says of the DELETE it is about to run on a table; NULL for the host's own, also for one that a
-- trigger of the host, or the database's own ON DELETE, runs within the engine's.
CREATE FUNCTION lifecycle.ending_v1(p_model text) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT announced FROM (SELECT lifecycle.announced_v1()) AS t (announced)
    WHERE announced ->> 'model' = p_model AND pg_trigger_depth() = 1
$$
