-- A released hold: what it held is looked at now, by every policy that it concerned. `event` is
-- the event that names the rows: the hold's, or the release's where only some of them are let go.
SELECT lifecycle.write_v1('expiry_scheduled', state.name, held.model,
    ROW(held.subjects_bigint, held.subjects_uuid, held.subjects_text, held.subjects_range)
        ::lifecycle.subjects,
    held.count, NULL, lifecycle.now_v1(), NULL, '{{"carried": "released"}}'::jsonb || coalesce((
        SELECT jsonb_build_object('reference', asked.detail -> 'reference', 'erasure', asked.id)
        FROM lifecycle_exception AS by_hand JOIN lifecycle_event AS asked ON asked.id = event_id
        WHERE held.count = 1 AND by_hand.kind = 'expired_by_hand' AND by_hand.policy = state.name
        AND asked.detail ? 'reference' AND by_hand.key IN (SELECT lifecycle.keys_v1(held.id))
        LIMIT 1), '{{}}'), NULL)
FROM lifecycle_event AS held
JOIN lifecycle_policy AS state ON state.model = held.model
WHERE held.id = %(event)s AND held.count > 0
