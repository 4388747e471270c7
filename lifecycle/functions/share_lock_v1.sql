-- Share the lock of a policy with its other batches, to the end of the transaction. A row of a table
-- that only the package may touch, no advisory lock, which any session may take. Who shares a row would
-- pass those that wait to have it alone, a pause or a hold: here they go first.
CREATE FUNCTION lifecycle.share_lock_v1(p_name text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    place point;
BEGIN
    SELECT ctid::text::point INTO place FROM @tables@.lifecycle_lock WHERE name = p_name FOR SHARE;
    IF NOT FOUND THEN
        PERFORM lifecycle.make_lock_v1(p_name);
        SELECT ctid::text::point INTO place FROM @tables@.lifecycle_lock WHERE name = p_name FOR SHARE;
    END IF;
    IF EXISTS (SELECT FROM pg_locks WHERE locktype = 'tuple' AND mode = 'AccessExclusiveLock'
               AND relation = '@tables@.lifecycle_lock'::regclass
               AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
               AND page = place[0] AND tuple = place[1]) THEN
        RAISE EXCEPTION 'lifecycle: somebody waits for the lock %', p_name USING ERRCODE = 'lock_not_available';
    END IF;
END $$
