-- The windows of a policy of which some entry is due, the oldest first, but for those that another
-- worker has: a window is swept by one at a time. The lock is given back at the end of the transaction.
WITH due AS MATERIALIZED (
    SELECT DISTINCT window_at FROM lifecycle_agenda
    WHERE policy = %(policy)s AND window_at IS NOT NULL AND due_at <= %(now)s
    AND event_id <> ALL (%(seen)s::bigint[]) AND (%(open)s OR tombstone IS NULL)
    ORDER BY window_at LIMIT %(windows)s
)
SELECT to_char(window_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"') FROM due
WHERE pg_try_advisory_xact_lock(hashtextextended(
    'lifecycle:' || %(policy)s || ':' || extract(epoch FROM window_at), 0))
ORDER BY window_at
