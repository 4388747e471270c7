-- Make agenda and exceptions again from the ledger alone, event by event.
CREATE FUNCTION lifecycle.rebuild_v1() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    event @tables@.lifecycle_event;
    done bigint := 0;
BEGIN
    LOCK TABLE @tables@.lifecycle_event IN SHARE MODE;
    DELETE FROM @tables@.lifecycle_agenda;
    DELETE FROM @tables@.lifecycle_exception;
    FOR event IN SELECT * FROM @tables@.lifecycle_event ORDER BY id LOOP
        PERFORM lifecycle.apply_v1(event);
        done := done + 1;
    END LOOP;
    RETURN done;
END $$
