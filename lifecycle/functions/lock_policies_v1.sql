-- Lock one policy, or all in the order of their names, until the transaction ends; what they are by then.
-- A row lock wants the right to UPDATE, which nobody has on policies but their owner.
CREATE FUNCTION lifecycle.lock_policies_v1(p_policy text DEFAULT NULL)
RETURNS TABLE (name text, model text, state text)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT stored.name, stored.model, stored.state FROM @tables@.lifecycle_policy AS stored
    WHERE p_policy IS NULL OR stored.name = p_policy ORDER BY stored.name FOR UPDATE
$$
