-- Pause a policy that is enabled, or let one go on that was paused or halted: what an admin does by a
-- button. A site's role may be given it, so nothing else is done: nothing begins to end rows that only
-- observed, and nothing goes beyond its cap.
CREATE FUNCTION lifecycle.steer_v1(p_policy text, p_kind text, p_state text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    stored record;
BEGIN
    SELECT * INTO stored FROM lifecycle.lock_policies_v1(p_policy);
    IF (p_kind = 'policy_changed' AND p_state = 'paused' AND stored.state = 'enabled'
        OR p_kind = 'resumed' AND p_state = 'enabled' AND stored.state IN ('paused', 'halted')) IS NOT TRUE THEN
        RAISE EXCEPTION 'policy % cannot be made % here', p_policy, p_state USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN lifecycle.write_v1(p_kind, stored.name, stored.model, NULL, 0, NULL, NULL, NULL,
        jsonb_build_object('state', p_state, 'allow', 0), NULL);
END $$
