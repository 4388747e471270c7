-- name: status
-- Each stored policy: its state, what its agenda lists, the holds that touch it. A row that came with
-- a due time in the past has waited since it came; one that is tried again and again, since its first
-- try. Reads the agenda, and of the ledger the events that are on it.
-- parts: is_tried, first_try
WITH clock AS MATERIALIZED (SELECT lifecycle.now_v1() AS now), listed AS (
    SELECT entry.policy,
        sum(entry.count) FILTER (WHERE tombstone IS NULL AND entry.due_at > now) AS scheduled,
        sum(entry.count) FILTER (WHERE entry.due_at <= now) AS due,
        sum(entry.count) FILTER (WHERE tombstone IS NOT NULL) AS tombstoned,
        sum(entry.count) FILTER (WHERE event.kind = 'kept') AS kept,
        sum(entry.count) FILTER (WHERE event.kind = 'blocked') AS blocked,
        sum(entry.count) FILTER (WHERE event.kind = 'capture_failed') AS failed,
        min(entry.due_at) AS next_due,
        min(CASE WHEN {is_tried} THEN {first_try} ELSE greatest(entry.due_at, event.recorded_at) END)
            FILTER (WHERE entry.due_at <= now OR {is_tried}) AS waits_since
    FROM lifecycle_agenda AS entry JOIN lifecycle_event AS event ON event.id = entry.event_id, clock
    GROUP BY 1
)
SELECT state.name, state.model, state.state, coalesce(scheduled, 0)::bigint, coalesce(due, 0)::bigint,
    coalesce(tombstoned, 0)::bigint, coalesce(kept, 0)::bigint,
    (SELECT count(*) FROM lifecycle_exception AS held WHERE held.kind = 'hold'
        AND (held.policy = state.name OR held.model = state.model)
        AND lifecycle.in_force_v1(held.until, now)),
    coalesce(blocked, 0)::bigint, coalesce(failed, 0)::bigint, date_trunc('second', next_due),
    waits_since, now, state.fingerprint,
    EXISTS (SELECT FROM lifecycle_exception AS held WHERE held.kind = 'hold' AND held.model = state.model
        AND held.key = '' AND held.policy <> '' AND lifecycle.in_force_v1(held.until, now)), state.enforced, state.state_sql
FROM clock CROSS JOIN lifecycle_policy AS state LEFT JOIN listed ON listed.policy = state.name
ORDER BY 1
