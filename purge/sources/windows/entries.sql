-- name: claim
-- The windows of a policy of which some entry is due, the oldest first, but for those that another
-- worker has: a window is swept by one at a time, which has locked every entry of it that there is.
-- params: policy, now, seen, open, windows (how many)
WITH due AS MATERIALIZED (
    SELECT DISTINCT window_at FROM ONLY lifecycle_agenda
    WHERE policy = %(policy)s AND window_at IS NOT NULL AND due_at <= %(now)s
    AND event_id <> ALL (%(seen)s::bigint[]) AND (%(open)s OR tombstone IS NULL)
    ORDER BY window_at LIMIT %(windows)s
), locked AS MATERIALIZED (
    SELECT window_at FROM ONLY lifecycle_agenda
    WHERE policy = %(policy)s AND window_at IN (SELECT window_at FROM due)
    ORDER BY event_id FOR UPDATE SKIP LOCKED
)
SELECT lifecycle.window_text_v1(window_at) FROM locked GROUP BY window_at
HAVING count(*) = (SELECT count(*) FROM ONLY lifecycle_agenda AS entry
                   WHERE entry.policy = %(policy)s AND entry.window_at = locked.window_at)
ORDER BY locked.window_at

-- name: entries
-- Every entry of windows that this worker has locked, in a later statement: what others have settled
-- meanwhile is gone.
-- params: policy, now, seen, windows (which), grace, every
SELECT entry.event_id, lifecycle.window_text_v1(entry.window_at),
    entry.due_at <= %(now)s, event.kind = 'tombstoned', entry.attempts, entry.tombstone,
    coalesce(entry.tombstoned_at + %(grace)s > %(now)s, false),
    lifecycle.window_due_v1(coalesce(entry.tombstoned_at, %(now)s) + %(grace)s, %(every)s)
FROM ONLY lifecycle_agenda AS entry JOIN lifecycle_event AS event ON event.id = entry.event_id
WHERE entry.policy = %(policy)s AND entry.window_at = ANY (%(windows)s::timestamptz[])
AND entry.event_id <> ALL (%(seen)s::bigint[])
ORDER BY entry.event_id
