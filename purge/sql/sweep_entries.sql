-- Every entry of windows that this worker has locked, in a later statement: what others have settled
-- meanwhile is gone.
SELECT entry.event_id, to_char(entry.window_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"'),
    entry.due_at <= %(now)s, told.kind = 'tombstoned', entry.attempts, entry.tombstone,
    coalesce(entry.tombstoned_at + %(grace)s > %(now)s, false),
    lifecycle.window_due_v1(coalesce(entry.tombstoned_at, %(now)s) + %(grace)s, %(every)s)
FROM lifecycle_agenda AS entry JOIN lifecycle_event AS told ON told.id = entry.event_id
WHERE entry.policy = %(policy)s AND entry.window_at = ANY (%(windows)s::timestamptz[])
AND entry.event_id <> ALL (%(seen)s::bigint[])
ORDER BY entry.event_id
