-- Policies of which something has been due for too long, while they might act all that time: not
-- paused, halted or held, and within their hours (`opened`); outside of those they only tombstone.
WITH clock AS (
    SELECT lifecycle.now_v1() AS now, lifecycle.now_v1() - make_interval(secs => %(max_lag)s) AS late
), acting AS (
    SELECT state.name, state.model, timed.opened, timed.stones
    FROM lifecycle_policy AS state CROSS JOIN clock
    JOIN unnest(%(names)s::text[], %(opened)s::timestamptz[], %(stones)s::boolean[])
        AS timed (name, opened, stones) ON timed.name = state.name
    WHERE state.state = 'enabled' AND NOT EXISTS (
        SELECT FROM lifecycle_exception AS held
        WHERE held.kind = 'hold' AND held.model = state.model AND held.key = ''
        AND (held.until IS NULL OR held.until > clock.late))
)
SELECT 'lagging', acting.name, acting.model, '', NULL, waiting.count, clock.now,
    extract(epoch FROM clock.now - waiting.since)::float
FROM clock CROSS JOIN acting CROSS JOIN LATERAL (
    SELECT min(greatest(entry.due_at, told.recorded_at, acting.opened)) AS since, sum(entry.count)::bigint AS count
    FROM lifecycle_agenda AS entry JOIN lifecycle_event AS told ON told.id = entry.event_id
    WHERE entry.policy = acting.name AND entry.due_at < clock.late
    AND (entry.tombstone IS NULL OR NOT acting.stones)
) AS waiting
WHERE waiting.since < clock.late AND NOT EXISTS (
    SELECT FROM lifecycle_event AS changed
    WHERE changed.kind IN ('resumed', 'policy_changed', 'hold_released') AND changed.model = acting.model
    AND changed.recorded_at > clock.late)
ORDER BY 2
