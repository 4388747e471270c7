-- name: status
-- Each stored policy: its state, what its agenda lists, the holds that touch it. A row that came with
-- a due time in the past has waited since it came, which is when its entry is due; one that is tried again and
-- again, since its first try. Reads the agenda once, and of the ledger the events that say more than that.
-- parts: is_tried, first_try
WITH clock AS MATERIALIZED (SELECT lifecycle.now_v1() AS now), listed AS MATERIALIZED (
    SELECT entry.policy,
        sum(entry.count) FILTER (WHERE tombstone IS NULL AND entry.due_at > (SELECT now FROM clock)) AS scheduled,
        sum(entry.count) FILTER (WHERE entry.due_at <= (SELECT now FROM clock)) AS due,
        sum(entry.count) FILTER (WHERE tombstone IS NOT NULL) AS tombstoned,
        min(entry.due_at) AS next_due,
        min(entry.due_at) FILTER (WHERE entry.due_at <= (SELECT now FROM clock) AND entry.attempts = 0) AS untried_since
    FROM lifecycle_agenda AS entry GROUP BY 1
), tried AS MATERIALIZED (
    SELECT entry.policy, min(CASE WHEN {is_tried} THEN {first_try} ELSE entry.due_at END) AS since
    FROM ONLY lifecycle_agenda AS entry JOIN lifecycle_event AS event ON event.id = entry.event_id, clock
    WHERE entry.attempts > 0 AND (entry.due_at <= now OR {is_tried}) GROUP BY 1
), said AS MATERIALIZED (
    SELECT entry.policy, sum(entry.count) FILTER (WHERE event.kind = 'kept') AS kept,
        sum(entry.count) FILTER (WHERE event.kind = 'blocked') AS blocked,
        sum(entry.count) FILTER (WHERE event.kind = 'capture_failed') AS failed
    FROM lifecycle_event AS event JOIN lifecycle_agenda AS entry ON entry.event_id = event.id
    WHERE event.kind IN ('blocked', 'capture_failed', 'kept') GROUP BY 1
)
SELECT state.name, state.model, state.state, coalesce(scheduled, 0)::bigint, coalesce(due, 0)::bigint,
    coalesce(tombstoned, 0)::bigint, coalesce(kept, 0)::bigint,
    (SELECT count(*) FROM lifecycle_exception AS held WHERE held.kind = 'hold'
        AND (held.policy = state.name OR held.model = state.model)
        AND lifecycle.in_force_v1(held.until, now)),
    coalesce(blocked, 0)::bigint, coalesce(failed, 0)::bigint, date_trunc('second', next_due),
    least(untried_since, tried.since), now, state.fingerprint,
    EXISTS (SELECT FROM lifecycle_exception AS held WHERE held.kind = 'hold' AND held.model = state.model
        AND held.key = '' AND held.policy <> '' AND lifecycle.in_force_v1(held.until, now)), state.enforced, state.state_sql
FROM clock CROSS JOIN lifecycle_policy AS state LEFT JOIN listed ON listed.policy = state.name
LEFT JOIN tried ON tried.policy = state.name LEFT JOIN said ON said.policy = state.name
ORDER BY 1
