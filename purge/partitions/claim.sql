-- name: first
-- The entry that is due first, locked.
-- params: policy, now, seen
SELECT event_id, to_jsonb(window_at) #>> '{{}}' FROM lifecycle_agenda
WHERE policy = %(policy)s AND due_at <= %(now)s AND event_id <> ALL (%(seen)s::bigint[])
ORDER BY due_at, event_id LIMIT 1 FOR UPDATE SKIP LOCKED

-- name: entries
-- All entries of its partition, due or not, locked: number, attempts, the partition's name. Of an entry of rows, by their
-- keys, those that are due; and those of partitions that wait for a hold, for what lists a row is that it was released.
-- params: policy, window, seen, now
SELECT entry.event_id, entry.attempts, event.detail ->> 'partition'
FROM lifecycle_agenda AS entry JOIN lifecycle_event AS event ON event.id = entry.event_id
WHERE entry.policy = %(policy)s AND (entry.window_at = %(window)s::timestamptz OR %(window)s::timestamptz IS NULL
    AND (entry.window_at IS NULL AND entry.due_at <= %(now)s OR event.detail ->> 'relisted' = 'held'))
AND entry.event_id <> ALL (%(seen)s::bigint[])
ORDER BY entry.event_id LIMIT 10000 FOR UPDATE OF entry SKIP LOCKED
