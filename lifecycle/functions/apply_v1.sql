-- The fold: what one event does to agenda, exceptions and policy states. Used as events are
-- written and again by `rebuild`, so both give the same projections.
CREATE FUNCTION lifecycle.apply_v1(told @tables@.lifecycle_event) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM lifecycle.list_v1(told);
    IF told.settled IS NOT NULL THEN
        DELETE FROM @tables@.lifecycle_agenda WHERE event_id = ANY (told.settled);
    END IF;
    IF told.kind = 'policy_changed' AND told.detail ? 'anew' THEN
        DELETE FROM @tables@.lifecycle_exception WHERE policy = told.policy
            AND (kind = 'expired_by_hand' OR kind = 'restored' AND told.detail ->> 'anew' <> 'declared');
    ELSIF told.kind = 'policy_changed' AND told.detail ? 'formerly' THEN
        UPDATE @tables@.lifecycle_exception SET model = told.model
            WHERE model = told.detail ->> 'formerly';
        UPDATE @tables@.lifecycle_agenda SET tombstone = NULL, tombstoned_at = NULL
            WHERE policy = told.policy AND tombstone IS NOT NULL;
    END IF;
    IF told.kind IN ('restored', 'expired_by_hand') OR told.detail ? 'dropped' THEN
        DELETE FROM @tables@.lifecycle_exception WHERE policy = told.policy
            AND kind IN ('restored', 'expired_by_hand')
            AND key IN (SELECT lifecycle.keys_v1(told.id));
    ELSIF told.kind IN ('purged', 'deleted', 'archived') AND told.detail ? 'ended_exceptions' THEN
        DELETE FROM @tables@.lifecycle_exception WHERE model = told.model
            AND kind IN ('restored', 'expired_by_hand')
            AND key IN (SELECT lifecycle.keys_v1(told.id));
    ELSIF told.kind = 'updated' AND told.detail ? 'erasure' THEN
        DELETE FROM @tables@.lifecycle_exception
            WHERE event_id = (told.detail ->> 'erasure')::bigint;
    ELSIF told.kind = 'truncated' THEN
        DELETE FROM @tables@.lifecycle_exception WHERE model = told.model
            AND kind IN ('restored', 'expired_by_hand');
    ELSIF told.kind = 'hold_released' THEN
        DELETE FROM @tables@.lifecycle_exception WHERE event_id IN
            (SELECT jsonb_array_elements_text(told.detail -> 'holds')::bigint)
            AND (told.count = 0 OR key IN (SELECT lifecycle.keys_v1(told.id)));
    ELSIF told.kind IN ('halted', 'resumed', 'policy_changed') AND told.detail ? 'state' THEN
        UPDATE @tables@.lifecycle_policy SET state = told.detail ->> 'state',
            spent = CASE WHEN (told.detail ->> 'allow')::bigint > 0
                         THEN spent || jsonb_build_object('allowed ' || to_char(
                             told.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24 ') || told.id,
                             told.detail -> 'allow')
                         ELSE spent END
        WHERE name = told.policy;
    END IF;
    IF told.kind = 'policy_changed' AND told.detail ? 'previously' THEN
        UPDATE @tables@.lifecycle_agenda SET policy = told.policy
            WHERE policy = told.detail ->> 'previously';
        UPDATE @tables@.lifecycle_exception SET policy = told.policy
            WHERE policy = told.detail ->> 'previously';
    END IF;
    IF told.kind IN ('restored', 'expired_by_hand', 'hold_placed') THEN
        INSERT INTO @tables@.lifecycle_exception
            (event_id, kind, policy, model, key, since, until, grace)
        SELECT told.id, CASE told.kind WHEN 'hold_placed' THEN 'hold' ELSE told.kind END,
            told.policy, told.model, subject.key,
            CASE told.kind WHEN 'expired_by_hand' THEN greatest(told.recorded_at, told.due_at)
                           ELSE told.recorded_at END,
            (told.detail ->> 'until')::timestamptz,
            make_interval(secs => (told.detail ->> 'grace')::float)
        FROM (SELECT lifecycle.keys_v1(told.id)
              UNION ALL SELECT '' WHERE told.count = 0 AND told.kind = 'hold_placed')
            AS subject (key)
        -- Rows expired by hand that ended in the same transaction have no due time.
        WHERE told.kind <> 'expired_by_hand' OR told.due_at IS NOT NULL;
    END IF;
END $$
