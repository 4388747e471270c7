-- Have what a released hold held looked at now, by every policy that it concerned. The event is the one
-- that names the rows: the hold's, or the release's where only some of them are let go. For
-- whoever may release the hold, and nobody else.
CREATE FUNCTION lifecycle.look_again_v1(p_event bigint) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT lifecycle.write_v1('expiry_scheduled', state.name, held.model,
        ROW(held.subjects_bigint, held.subjects_uuid, held.subjects_text, held.subjects_range)
            ::lifecycle.subjects,
        held.count, NULL, lifecycle.now_v1(), NULL, '{"relisted": "released"}'::jsonb || coalesce((
            SELECT jsonb_build_object('reference', asked.detail -> 'reference', 'erasure', asked.id)
            FROM (SELECT event_id FROM @tables@.lifecycle_exception AS by_hand
                  WHERE by_hand.kind = 'expired_by_hand' AND by_hand.policy = state.name
                  AND by_hand.key = ANY (ARRAY(SELECT lifecycle.keys_v1(held.id))) OFFSET 0) AS by_hand
            JOIN @tables@.lifecycle_event AS asked ON asked.id = by_hand.event_id
            WHERE held.count = 1 AND asked.detail ? 'reference'
            LIMIT 1), '{}'), NULL)
    FROM @tables@.lifecycle_event AS held
    JOIN @tables@.lifecycle_policy AS state ON state.model = held.model
    WHERE held.id = p_event AND held.count > 0 AND held.kind IN ('hold_placed', 'hold_released')
    AND lifecycle.may_say_v1(held.model, NULL)
$$
