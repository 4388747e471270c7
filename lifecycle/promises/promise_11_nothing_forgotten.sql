-- 11. Everything due is done within the stated time, nothing is missed: no agenda entry of a policy
-- that is enabled and not held waits longer, and every row past its end is on the agenda, however
-- short it is past it, unless it was restored. What waits for the policy's hours is not late.
WITH acting AS (
    SELECT state.name, (
        SELECT max(changed.recorded_at) FROM lifecycle_event AS changed
        WHERE changed.policy = state.name AND changed.kind IN ('resumed', 'policy_changed')
        OR changed.model = state.model AND changed.kind = 'hold_released') AS since, timed.opened
    FROM lifecycle_policy AS state
    LEFT JOIN unnest(%(names)s::text[], %(opened)s::timestamptz[]) AS timed (name, opened)
        ON timed.name = state.name
    WHERE state.state = 'enabled' AND NOT EXISTS (
        SELECT FROM lifecycle_exception AS held
        WHERE held.kind = 'hold' AND held.model = state.model AND held.key = '' AND held.policy <> ''
        AND (held.until IS NULL OR held.until > lifecycle.now_v1()))
), listed AS MATERIALIZED (
    SELECT DISTINCT entry.policy, key
    FROM lifecycle_agenda AS entry, lifecycle.keys_v1(entry.event_id) AS key
)
SELECT entry.event_id, entry.policy, 'due since ' || entry.due_at
FROM lifecycle_agenda AS entry JOIN acting ON acting.name = entry.policy
JOIN lifecycle_event AS event ON event.id = entry.event_id
WHERE greatest(entry.due_at, event.recorded_at, acting.since, acting.opened)
    < lifecycle.now_v1() - %(stated)s::interval
UNION ALL
SELECT NULL, rows.model || ':' || rows.key, 'past its end by ' || rows.policy || ' and on no agenda'
FROM ({rows}) AS rows JOIN acting ON acting.name = rows.policy
WHERE rows.due < lifecycle.now_v1()
AND NOT EXISTS (SELECT FROM listed WHERE listed.policy = rows.policy AND listed.key = rows.key)
AND NOT EXISTS (SELECT FROM lifecycle_agenda AS swept
    WHERE swept.policy = rows.policy AND swept.window_at = rows.window_at)
AND NOT EXISTS (SELECT FROM lifecycle_exception AS spared
    WHERE spared.kind = 'restored' AND spared.policy = rows.policy AND spared.key = rows.key
    AND (spared.until IS NULL OR spared.until > lifecycle.now_v1()))
ORDER BY 1, 2
