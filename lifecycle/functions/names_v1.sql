-- The names that a policy has and had.
CREATE FUNCTION lifecycle.names_v1(p_policy text) RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 1 AS $$
    WITH RECURSIVE named (name) AS (
        SELECT p_policy
        UNION
        SELECT event.detail ->> 'previously' FROM @tables@.lifecycle_event AS event
        JOIN named ON event.policy = named.name
        WHERE event.kind = 'policy_changed' AND event.detail ? 'previously'
    )
    SELECT name FROM named
$$
