-- The names that a policy has and had.
CREATE FUNCTION lifecycle.names_v1(p_policy text) RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 1 AS $$
    WITH RECURSIVE named (name) AS (
        SELECT p_policy
        UNION
        SELECT told.detail ->> 'previously' FROM @tables@.lifecycle_event AS told
        JOIN named ON told.policy = named.name
        WHERE told.kind = 'policy_changed' AND told.detail ? 'previously'
    )
    SELECT name FROM named
$$
