-- Record the due time of one row, as `scheduled_v1` does, in as few statements as can be: most rows of a site are
-- written one by one, and each layer of functions costs as much as an INSERT. False, and nothing is done, where
-- there is more to say than the due time: the row is restored or was expired by hand, or the ledger is being
-- restored, is not there, or has the number already. The key is the one of three arrays that is not NULL.
-- What ends in two hours or later goes onto the pending list, event and agenda entry in one row: see `move_pending_v1`.
-- Not under SERIALIZABLE, where no number is looked for in the other table either: of two who write at once, each
-- would have read the place in the index where the other writes, and one would be refused.
CREATE FUNCTION lifecycle.scheduled_one_v1(
    p_policy text, p_model text, p_bigints bigint[], p_uuids uuid[], p_texts text[], p_due timestamptz,
    p_detail jsonb
) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
DECLARE
    actor CONSTANT text := lifecycle.setting_v1('actor');
    cause CONSTANT text := lifecycle.setting_v1('cause');
    now CONSTANT timestamptz := lifecycle.now_v1();
    serial CONSTANT boolean := current_setting('transaction_isolation') = 'serializable';
    number bigint;
BEGIN
    IF to_regclass('@tables@.lifecycle_event') IS NULL OR pg_sequence_last_value('lifecycle.in_use') IS NULL THEN
        RETURN false;
    ELSIF p_due IS NULL THEN
        RETURN NOT lifecycle.excepted_v1(p_policy);
    ELSIF actor IS NOT NULL OR cause IS NOT NULL THEN
        p_detail := p_detail || lifecycle.claimed_v1();
    END IF;
    number := nextval('@tables@.lifecycle_event_id_seq');
    IF p_due >= now + interval '2 hours' AND NOT serial THEN
        INSERT INTO @tables@.lifecycle_pending (id, event_id, attempts, kind, policy, model,
            subjects_bigint, subjects_uuid, subjects_text, count, due_at, recorded_at, cause, actor, detail)
        SELECT number, number, 0, 'expiry_scheduled', p_policy, p_model,
            p_bigints, p_uuids, p_texts, 1, p_due, now,
            left(coalesce(cause, ''), 100), left(coalesce(actor, ''), 200), p_detail
        WHERE NOT EXISTS (
            SELECT FROM @tables@.lifecycle_exception WHERE policy = p_policy AND kind IN ('restored', 'expired_by_hand')
            AND key = coalesce(p_bigints[1]::text, p_uuids[1]::text, p_texts[1]))
        AND NOT EXISTS (SELECT FROM @tables@.lifecycle_event WHERE id = number);
        RETURN FOUND;
    END IF;
    INSERT INTO @tables@.lifecycle_event (id, kind, policy, model, subjects_bigint, subjects_uuid, subjects_text,
        count, due_at, recorded_at, cause, actor, detail)
    SELECT number, 'expiry_scheduled', p_policy, p_model, p_bigints, p_uuids, p_texts,
        1, p_due, now, left(coalesce(cause, ''), 100), left(coalesce(actor, ''), 200), p_detail
    WHERE NOT EXISTS (
        SELECT FROM @tables@.lifecycle_exception WHERE policy = p_policy AND kind IN ('restored', 'expired_by_hand')
        AND key = coalesce(p_bigints[1]::text, p_uuids[1]::text, p_texts[1]))
    AND (serial OR NOT EXISTS (SELECT FROM @tables@.lifecycle_pending WHERE id = number))
    ON CONFLICT (id) DO NOTHING;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO @tables@.lifecycle_agenda (event_id, policy, due_at, count, attempts)
    VALUES (number, p_policy, greatest(p_due, now), 1, 0);
    RETURN true;
END $$
