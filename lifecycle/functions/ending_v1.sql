-- What the engine says of the DELETE it is about to run on a table; NULL for the host's own.
CREATE FUNCTION lifecycle.ending_v1(p_model text) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT announced FROM (SELECT lifecycle.announced_v1()) AS t (announced)
    WHERE announced ->> 'model' = p_model
$$
