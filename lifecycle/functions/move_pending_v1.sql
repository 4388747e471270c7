-- Move what is on the pending list to where it belongs: the event, with its number, into the ledger proper, the entry
-- onto the agenda with its indexes. Both are what they were; nobody sees them twice, or not at all. Of one policy, due
-- up to a time, or of given numbers. With `p_wait` also what another session is just moving, which has been moved then;
-- else that is left to it. What is `p_unlisted` gets no entry: the caller has listed it otherwise. What is there already stays:
-- where it is another event of that number, the guard of the list refuses. Returns how many.
CREATE FUNCTION lifecycle.move_pending_v1(
    p_policy text DEFAULT NULL, p_upto timestamptz DEFAULT 'infinity', p_events bigint[] DEFAULT NULL,
    p_wait boolean DEFAULT true, p_unlisted bigint[] DEFAULT '{}'
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
DECLARE
    found_ids bigint[];
    moved bigint[];
BEGIN
    IF to_regclass('@tables@.lifecycle_pending') IS NULL THEN
        RETURN 0;
    ELSIF p_events IS NOT NULL THEN
        found_ids := ARRAY(SELECT id FROM @tables@.lifecycle_pending WHERE id = ANY (p_events));
    -- Numbers and times go up together: where the first is not two hours old nothing is due. Where a sequence was set back
    -- it may be, and waits for the mover.
    ELSIF p_upto = 'infinity' OR (
            SELECT recorded_at FROM @tables@.lifecycle_pending ORDER BY id LIMIT 1) <= p_upto - interval '2 hours' THEN
        found_ids := ARRAY(SELECT id FROM @tables@.lifecycle_pending
            WHERE (p_policy IS NULL OR policy = p_policy) AND due_at <= p_upto);
    END IF;
    IF coalesce(found_ids, '{}') = '{}' THEN
        RETURN 0;
    END IF;
    -- As a rebuild does: first the table into which they go, then rows.
    LOCK TABLE ONLY @tables@.lifecycle_event IN ROW EXCLUSIVE MODE;
    IF p_wait THEN
        PERFORM FROM @tables@.lifecycle_pending WHERE id = ANY (found_ids) ORDER BY id FOR UPDATE;
    END IF;
    WITH taken AS MATERIALIZED (
        SELECT * FROM @tables@.lifecycle_pending WHERE id = ANY (found_ids) FOR UPDATE SKIP LOCKED
    ), event AS (
        INSERT INTO @tables@.lifecycle_event (id, kind, policy, model, subjects_bigint, subjects_uuid, subjects_text,
            subjects_range, count, basis, due_at, recorded_at, cause, actor, run, detail, settled, identities)
        SELECT id, kind, policy, model, subjects_bigint, subjects_uuid, subjects_text,
            subjects_range, count, basis, due_at, recorded_at, cause, actor, run, detail, settled, identities
        FROM taken
        ON CONFLICT (id) DO NOTHING
    ), entry AS (
        INSERT INTO @tables@.lifecycle_agenda
            (event_id, policy, due_at, window_at, count, attempts, tombstone, tombstoned_at)
        SELECT event_id, policy, due_at, window_at, count, attempts, tombstone, tombstoned_at FROM taken
        WHERE id <> ALL (p_unlisted)
        ON CONFLICT (event_id) DO NOTHING
    )
    SELECT array_agg(id) INTO moved FROM taken;
    DELETE FROM @tables@.lifecycle_pending WHERE id = ANY (moved);
    RETURN coalesce(cardinality(moved), 0);
END $$
