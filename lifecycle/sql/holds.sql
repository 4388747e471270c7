-- The holds that stand, or those of them with these numbers, a line each: number, policy, model, rows, the first key, since, until,
-- whether it is in force, reason, reference, actor.
SELECT held.event_id, held.policy, held.model, count(*) FILTER (WHERE held.key <> ''),
    min(held.key), min(held.since), min(held.until),
    bool_and(held.until IS NULL OR held.until > lifecycle.now_v1()),
    min(told.detail ->> 'reason'), min(told.detail ->> 'reference'), min(told.actor)
FROM lifecycle_exception AS held JOIN lifecycle_event AS told ON told.id = held.event_id
WHERE held.kind = 'hold'
AND (%(numbers)s::bigint[] IS NULL OR held.event_id = ANY (%(numbers)s::bigint[]))
GROUP BY held.event_id, held.policy, held.model ORDER BY held.event_id
