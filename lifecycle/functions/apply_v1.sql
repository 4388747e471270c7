-- The fold: what one event does to agenda, exceptions and policy states. Used as events are
-- written; `fold_v1` gives the same of a whole ledger at once.
CREATE FUNCTION lifecycle.apply_v1(event @tables@.lifecycle_event) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
BEGIN
    PERFORM lifecycle.list_v1(event);
    IF event.settled IS NOT NULL THEN
        PERFORM lifecycle.move_pending_v1(p_events => event.settled);
        DELETE FROM ONLY @tables@.lifecycle_agenda WHERE event_id = ANY (event.settled);
    END IF;
    IF event.kind = 'policy_changed' THEN
        IF event.detail ? 'formerly' AND NOT event.detail ? 'anew' THEN
            UPDATE ONLY @tables@.lifecycle_agenda SET tombstone = NULL, tombstoned_at = NULL
                WHERE policy = event.policy AND tombstone IS NOT NULL;
        END IF;
        IF event.detail ? 'previously' THEN
            PERFORM lifecycle.move_pending_v1(event.detail ->> 'previously');
            UPDATE ONLY @tables@.lifecycle_agenda SET policy = event.policy
                WHERE policy = event.detail ->> 'previously';
        END IF;
    END IF;
    IF lifecycle.decides_v1(event.kind, event.detail) THEN
        PERFORM lifecycle.decide_v1(event);
    END IF;
END $$
