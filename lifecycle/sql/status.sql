-- Each stored policy: its state, what its agenda lists, the holds that touch it. `blocked` and
-- `failed` are looked up among those entries only that are late or were tried before. A row that
-- came with a due time in the past has waited since it came.
WITH listed AS (
    SELECT policy, sum(count) FILTER (WHERE tombstone IS NULL AND due_at > lifecycle.now_v1()) AS scheduled,
        sum(count) FILTER (WHERE due_at <= lifecycle.now_v1()) AS due,
        sum(count) FILTER (WHERE tombstone IS NOT NULL) AS tombstoned, min(due_at) AS next_due
    FROM lifecycle_agenda GROUP BY 1
), troubled AS (
    SELECT entry.policy, sum(entry.count) FILTER (WHERE told.kind = 'blocked') AS blocked,
        sum(entry.count) FILTER (WHERE told.kind = 'capture_failed') AS failed,
        lifecycle.now_v1() - min(greatest(entry.due_at, told.recorded_at))
            FILTER (WHERE entry.due_at <= lifecycle.now_v1()) AS lag
    FROM lifecycle_agenda AS entry JOIN lifecycle_event AS told ON told.id = entry.event_id
    WHERE entry.attempts > 0 OR entry.due_at <= lifecycle.now_v1() GROUP BY 1
)
SELECT state.name, state.model, state.state, coalesce(scheduled, 0)::bigint, coalesce(due, 0)::bigint,
    coalesce(tombstoned, 0)::bigint,
    (SELECT count(*) FROM lifecycle_exception AS held WHERE held.kind = 'hold'
        AND (held.policy = state.name OR held.model = state.model)
        AND (held.until IS NULL OR held.until > lifecycle.now_v1())),
    coalesce(blocked, 0)::bigint, coalesce(failed, 0)::bigint, date_trunc('second', next_due),
    extract(epoch FROM lag)::float, state.fingerprint,
    EXISTS (SELECT FROM lifecycle_exception AS held WHERE held.kind = 'hold' AND held.model = state.model
        AND held.key = '' AND (held.until IS NULL OR held.until > lifecycle.now_v1()))
FROM lifecycle_policy AS state
LEFT JOIN listed ON listed.policy = state.name LEFT JOIN troubled ON troubled.policy = state.name
ORDER BY 1
