-- What one event does to row exceptions and to the states of policies: what people and brakes have decided.
-- Exceptions are probed by the event's keys, in an array: a join with them may be planned as one that reads
-- all exceptions.
CREATE FUNCTION lifecycle.decide_v1(event @tables@.lifecycle_event) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
BEGIN
    IF event.kind = 'policy_changed' AND event.detail ? 'anew' THEN
        DELETE FROM @tables@.lifecycle_exception WHERE policy = event.policy
            AND (kind IN ('expired_by_hand', 'noticed') OR kind = 'restored' AND event.detail ->> 'anew' <> 'declared');
    ELSIF event.kind = 'policy_changed' AND event.detail ? 'formerly' THEN
        UPDATE @tables@.lifecycle_exception SET model = event.model
            WHERE model = event.detail ->> 'formerly';
    END IF;
    IF event.kind IN ('restored', 'expired_by_hand') OR event.detail ? 'dropped' THEN
        DELETE FROM @tables@.lifecycle_exception WHERE policy = event.policy
            AND kind IN ('restored', 'expired_by_hand', 'noticed')
            AND key = ANY (ARRAY(SELECT lifecycle.keys_v1(event.id)));
    ELSIF event.kind IN ('purged', 'deleted', 'archived') AND event.detail ? 'ended_exceptions' THEN
        DELETE FROM @tables@.lifecycle_exception WHERE model = event.model
            AND kind IN ('restored', 'expired_by_hand', 'noticed')
            AND key = ANY (ARRAY(SELECT lifecycle.keys_v1(event.id)));
    ELSIF event.kind = 'updated' AND event.detail ? 'erasure' THEN
        DELETE FROM @tables@.lifecycle_exception
            WHERE event_id = (event.detail ->> 'erasure')::bigint;
    ELSIF event.kind = 'truncated' THEN
        DELETE FROM @tables@.lifecycle_exception WHERE model = event.model
            AND kind IN ('restored', 'expired_by_hand', 'noticed');
    ELSIF event.kind = 'noticed' THEN
        -- One for each row: what the last mail said. Until all of them went, or were waived, nobody knows when it may end.
        DELETE FROM @tables@.lifecycle_exception WHERE policy = event.policy AND kind = 'noticed'
            AND key = ANY (ARRAY(SELECT lifecycle.keys_v1(event.id)));
        INSERT INTO @tables@.lifecycle_exception (event_id, kind, policy, model, key, since, until)
        SELECT event.id, 'noticed', event.policy, event.model, lifecycle.keys_v1(event.id),
            (event.detail ->> 'ends')::timestamptz,
            CASE WHEN (event.detail ->> 'mail')::int >= (event.detail ->> 'of')::int
                 THEN (event.detail ->> 'until')::timestamptz END
        WHERE NOT event.detail ? 'over';
    ELSIF event.kind = 'hold_released' THEN
        DELETE FROM @tables@.lifecycle_exception WHERE event_id = ANY
            (ARRAY(SELECT jsonb_array_elements_text(event.detail -> 'holds')::bigint))
            AND (event.count = 0 OR key = ANY (ARRAY(SELECT lifecycle.keys_v1(event.id))));
    ELSIF event.kind IN ('halted', 'resumed', 'policy_changed') AND event.detail ? 'state' THEN
        UPDATE @tables@.lifecycle_policy SET state = event.detail ->> 'state',
            spent = CASE WHEN (event.detail ->> 'allow')::bigint > 0
                         THEN spent || jsonb_build_object('allowed ' || to_char(
                             event.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24 ') || event.id,
                             event.detail -> 'allow')
                         ELSE spent END
        WHERE name = event.policy;
    END IF;
    IF event.kind = 'policy_changed' AND event.detail ? 'previously' THEN
        UPDATE @tables@.lifecycle_exception SET policy = event.policy
            WHERE policy = event.detail ->> 'previously';
    END IF;
    IF event.kind IN ('restored', 'expired_by_hand', 'hold_placed') THEN
        INSERT INTO @tables@.lifecycle_exception
            (event_id, kind, policy, model, key, since, until, grace)
        SELECT event.id, CASE event.kind WHEN 'hold_placed' THEN 'hold' ELSE event.kind END,
            event.policy, event.model, subject.key,
            CASE event.kind WHEN 'expired_by_hand' THEN greatest(event.recorded_at, event.due_at)
                           ELSE event.recorded_at END,
            (event.detail ->> 'until')::timestamptz,
            make_interval(secs => (event.detail ->> 'grace')::float)
        FROM (SELECT lifecycle.keys_v1(event.id)
              UNION ALL SELECT '' WHERE event.count = 0 AND event.kind = 'hold_placed')
            AS subject (key)
        -- Rows expired by hand that ended in the same transaction have no due time.
        WHERE event.kind <> 'expired_by_hand' OR event.due_at IS NOT NULL;
    END IF;
END $$
