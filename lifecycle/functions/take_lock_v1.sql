-- Have the lock of a policy alone, to the end of the transaction: no batch of it is under way then, and
-- none begins. Waits as long as the caller's lock_timeout lets it.
CREATE FUNCTION lifecycle.take_lock_v1(p_name text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM FROM @tables@.lifecycle_lock WHERE name = p_name FOR UPDATE;
    IF NOT FOUND THEN
        PERFORM lifecycle.make_lock_v1(p_name);
        PERFORM FROM @tables@.lifecycle_lock WHERE name = p_name FOR UPDATE;
    END IF;
END $$
