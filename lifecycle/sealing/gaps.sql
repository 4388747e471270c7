-- name: alive
-- The transactions under way in this server but this one: each has a lock on its own number, from its first statement
-- until what it has written can be seen.
SELECT virtualtransaction FROM pg_locks
WHERE locktype = 'virtualxid' AND mode = 'ExclusiveLock' AND granted AND pid <> pg_backend_pid()

-- name: unknown
-- Whether numbers may come of which the transactions under way tell nothing: prepared ones have no such lock, and a
-- session keeps numbers for later transactions where the sequence gives it several at once.
SELECT EXISTS (SELECT FROM pg_prepared_xacts WHERE database = current_database())
    OR (SELECT seqcache > 1 FROM pg_sequence
        WHERE seqrelid = pg_get_serial_sequence('lifecycle_event', 'id')::regclass)
