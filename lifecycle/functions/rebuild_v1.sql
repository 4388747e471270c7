-- Make agenda and exceptions again from the ledger alone. An event that cannot be applied, which only a superuser
-- can have written, is left out, and not counted: the others are not lost with it. Only where there is such a one
-- are events applied one by one, in blocks of their own.
CREATE FUNCTION lifecycle.rebuild_v1() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    event @tables@.lifecycle_event;
    done bigint := 0;
    waits boolean;
BEGIN
    -- Writers lock these two in whichever order they come to them. So whoever waits here for one has not the other.
    LOOP
        BEGIN
            waits := true;
            LOCK TABLE ONLY @tables@.lifecycle_event IN SHARE ROW EXCLUSIVE MODE;
            waits := false;
            LOCK TABLE @tables@.lifecycle_pending IN SHARE ROW EXCLUSIVE MODE NOWAIT;
            EXIT;
        EXCEPTION WHEN lock_not_available THEN
            IF waits THEN RAISE; END IF;  -- of the session's own lock_timeout
        END;
        BEGIN
            waits := true;
            LOCK TABLE @tables@.lifecycle_pending IN SHARE ROW EXCLUSIVE MODE;
            waits := false;
            LOCK TABLE ONLY @tables@.lifecycle_event IN SHARE ROW EXCLUSIVE MODE NOWAIT;
            EXIT;
        EXCEPTION WHEN lock_not_available THEN
            IF waits THEN RAISE; END IF;
        END;
    END LOOP;
    PERFORM lifecycle.move_pending_v1();
    -- The worker makes them again; nobody has to wait for that. Those of pieces of which events have left the table for
    -- the log are what tells where a key was.
    DELETE FROM @tables@.lifecycle_segment WHERE first > (
        SELECT coalesce(max((said.detail ->> 'upto')::bigint), 0) FROM @tables@.lifecycle_event AS said
        WHERE said.kind = 'pruned');
    BEGIN
        RETURN lifecycle.fold_v1();
    EXCEPTION WHEN data_exception THEN
        DELETE FROM @tables@.lifecycle_agenda;
        DELETE FROM @tables@.lifecycle_exception;
    END;
    FOR event IN SELECT * FROM @tables@.lifecycle_event ORDER BY id LOOP
        BEGIN
            PERFORM lifecycle.apply_v1(event);
            done := done + 1;
        EXCEPTION WHEN data_exception THEN
            RAISE WARNING 'event % of the ledger cannot be applied: SQLSTATE %', event.id, SQLSTATE;
        END;
    END LOOP;
    RETURN done;
END $$
