-- name: hold_rows
-- One hold on a set of rows.
-- params: model, count, detail
SELECT lifecycle.write_v1('hold_placed', '', %(model)s::text, lifecycle.sorted_v1({subjects}),
    %(count)s, NULL, NULL, NULL, %(detail)s::jsonb, NULL)

-- name: holds
-- The holds that stand, or those of them with these numbers, a line each: number, policy, model, rows, the first key, since, until,
-- whether it is in force, reason, reference, actor.
-- params: numbers
SELECT held.event_id, held.policy, held.model, count(*) FILTER (WHERE held.key <> ''),
    min(held.key), min(held.since), min(held.until),
    bool_and(lifecycle.in_force_v1(held.until, lifecycle.now_v1())),
    min(event.detail ->> 'reason'), min(event.detail ->> 'reference'), min(event.actor)
FROM lifecycle_exception AS held JOIN lifecycle_event AS event ON event.id = held.event_id
WHERE held.kind = 'hold'
AND (%(numbers)s::bigint[] IS NULL OR held.event_id = ANY (%(numbers)s::bigint[]))
GROUP BY held.event_id, held.policy, held.model ORDER BY held.event_id

-- name: look_again
-- A released hold: what it held is looked at now, by every policy that it concerned. `event` is
-- the event that names the rows: the hold's, or the release's where only some of them are let go.
-- params: event
SELECT lifecycle.write_v1('expiry_scheduled', state.name, held.model,
    ROW(held.subjects_bigint, held.subjects_uuid, held.subjects_text, held.subjects_range)
        ::lifecycle.subjects,
    held.count, NULL, lifecycle.now_v1(), NULL, '{{"relisted": "released"}}'::jsonb || coalesce((
        SELECT jsonb_build_object('reference', asked.detail -> 'reference', 'erasure', asked.id)
        FROM (SELECT event_id FROM lifecycle_exception AS by_hand
              WHERE by_hand.kind = 'expired_by_hand' AND by_hand.policy = state.name
              AND by_hand.key = ANY (ARRAY(SELECT lifecycle.keys_v1(held.id))) OFFSET 0) AS by_hand
        JOIN lifecycle_event AS asked ON asked.id = by_hand.event_id
        WHERE held.count = 1 AND asked.detail ? 'reference'
        LIMIT 1), '{{}}'), NULL)
FROM lifecycle_event AS held
JOIN lifecycle_policy AS state ON state.model = held.model
WHERE held.id = %(event)s AND held.count > 0

-- name: holds_on
-- The holds on a row, on a policy, under a reference, or one by its number.
-- params: event, policy, reference, model, key
SELECT DISTINCT event_id, policy, model FROM lifecycle_exception
WHERE kind = 'hold' AND CASE
    WHEN %(event)s::bigint IS NOT NULL THEN event_id = %(event)s::bigint
    WHEN %(policy)s::text IS NOT NULL THEN policy = %(policy)s::text
    WHEN %(reference)s::text IS NOT NULL THEN event_id IN (
        SELECT id FROM lifecycle_event
        WHERE kind = 'hold_placed' AND detail ->> 'reference' = %(reference)s::text)
    ELSE model = %(model)s::text AND key = %(key)s::text END
ORDER BY event_id
