-- Rows that cannot end and captures that failed, a line a cause, and when it was last so. A policy declared anew since has
-- made good what failed before.
WITH blocked AS (
    SELECT entry.policy, told.model, entry.event_id, entry.count,
        concat_ws(' ', told.detail ->> 'error', coalesce(told.detail ->> 'constraint',
            told.detail ->> 'table', split_part(told.detail -> 'by' ->> 0, ':', 1),
            told.detail ->> 'sqlstate', told.detail ->> 'code')) AS cause
    FROM lifecycle_agenda AS entry JOIN lifecycle_event AS told ON told.id = entry.event_id
    WHERE entry.attempts > 0 AND told.kind = 'blocked'
)
SELECT 'blocked', policy, model, cause, max(event_id), sum(count)::bigint, lifecycle.now_v1()
FROM blocked GROUP BY policy, model, cause
UNION ALL
SELECT 'capture_failed', told.policy, told.model, coalesce(told.detail ->> 'sqlstate', ''), max(told.id),
    sum(told.count)::bigint, max(told.recorded_at)
FROM lifecycle_event AS told LEFT JOIN lifecycle_policy AS state ON state.name = told.policy
WHERE told.kind = 'capture_failed' AND told.recorded_at > %(since)s
AND told.recorded_at > coalesce(state.declared_at, '-infinity')
GROUP BY told.policy, told.model, told.detail ->> 'sqlstate'
ORDER BY 1, 2, 3, 4
