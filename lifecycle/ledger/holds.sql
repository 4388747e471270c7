-- name: hold_rows
-- One hold on a set of rows.
-- params: model, detail
SELECT lifecycle.record_v1('hold_placed', '', %(model)s::text, lifecycle.sorted_v1({subjects}),
    %(detail)s::jsonb)

-- name: holds
-- The holds that stand, or those of them with these numbers, a line each: number, policy, model, rows, the first key, since, until,
-- whether it is in force, reason, reference, actor, and how many of its rows the site has deleted.
-- params: numbers
WITH gone AS MATERIALIZED (
    SELECT hold, sum(rows)::bigint AS rows FROM lifecycle.held_deleted_v1() GROUP BY hold
)
SELECT held.event_id, held.policy, held.model, count(*) FILTER (WHERE held.policy = ''),
    min(held.key), min(held.since), min(held.until),
    bool_and(lifecycle.in_force_v1(held.until, lifecycle.now_v1())),
    min(event.detail ->> 'reason'), min(event.detail ->> 'reference'), min(event.actor),
    coalesce(max(gone.rows), 0)
FROM lifecycle_exception AS held JOIN lifecycle_event AS event ON event.id = held.event_id
LEFT JOIN gone ON gone.hold = held.event_id
WHERE held.kind = 'hold'
AND (%(numbers)s::bigint[] IS NULL OR held.event_id = ANY (%(numbers)s::bigint[]))
GROUP BY held.event_id, held.policy, held.model ORDER BY held.event_id

-- name: look_again
-- Have the rows of a hold, or of a release, looked at now.
-- params: event
SELECT lifecycle.look_again_v1(%(event)s)

-- name: holds_on
-- The holds on a row, on a policy, under a reference, or one by its number.
-- params: event, policy, reference, model, key
SELECT DISTINCT event_id, policy, model FROM lifecycle_exception
WHERE kind = 'hold' AND CASE
    WHEN %(event)s::bigint IS NOT NULL THEN event_id = %(event)s::bigint
    WHEN %(policy)s::text IS NOT NULL THEN policy = %(policy)s::text
    WHEN %(reference)s::text IS NOT NULL THEN event_id IN (
        SELECT id FROM lifecycle_event
        WHERE kind = 'hold_placed' AND detail ? 'reference' AND detail ->> 'reference' = %(reference)s::text)
    ELSE model = %(model)s::text AND key = %(key)s::text AND policy = '' END
ORDER BY event_id
