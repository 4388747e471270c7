-- name: alive
-- The transactions under way but this one: each has a lock on its own number, from its first statement until what it
-- has written can be seen. Sessions with another database, and autovacuum, write no event.
SELECT virtualtransaction FROM pg_locks
WHERE locktype = 'virtualxid' AND mode = 'ExclusiveLock' AND granted AND pid <> pg_backend_pid()
AND pid NOT IN (
    SELECT pid FROM pg_stat_activity WHERE backend_type = 'autovacuum worker'
    OR datid <> (SELECT oid FROM pg_database WHERE datname = current_database()))

-- name: unknown
-- Whether numbers may come of which the transactions under way tell nothing: prepared ones have no such lock, and a
-- session keeps numbers for later transactions where the sequence gives it several at once.
SELECT EXISTS (SELECT FROM pg_prepared_xacts WHERE database = current_database())
    OR (SELECT seqcache > 1 FROM pg_sequence
        WHERE seqrelid = pg_get_serial_sequence('lifecycle_event', 'id')::regclass)
