-- Make the row of a lock that is missing: of the media, of the log, of a recovery, of a policy, of its archives or notices.
-- No other name.
CREATE FUNCTION lifecycle.make_lock_v1(p_name text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO @tables@.lifecycle_lock
    SELECT p_name WHERE p_name IN ('', 'proof log', 'recovery') OR EXISTS (
        SELECT FROM @tables@.lifecycle_policy AS policy
        WHERE p_name IN (policy.name, 'archive ' || policy.name, 'notices ' || policy.name))
    ON CONFLICT DO NOTHING
$$
