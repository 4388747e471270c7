-- As take_lock_v1, without waiting. False where another session has the lock.
CREATE FUNCTION lifecycle.try_lock_v1(p_name text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM @tables@.lifecycle_lock WHERE name = p_name) THEN
        PERFORM lifecycle.make_lock_v1(p_name);
    END IF;
    PERFORM FROM @tables@.lifecycle_lock WHERE name = p_name FOR UPDATE SKIP LOCKED;
    RETURN FOUND;
END $$
