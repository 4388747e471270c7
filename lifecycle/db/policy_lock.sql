-- name: make_locks
-- A row to lock for each name, before anybody needs it.
-- params: names
INSERT INTO lifecycle_lock (name) SELECT unnest(%(names)s::text[]) ON CONFLICT DO NOTHING

-- name: take_lock
-- params: name
SELECT lifecycle.take_lock_v1(%(name)s)

-- name: holders
-- The sessions whose open transaction has locked rows of some tables, the longest first.
-- params: tables
SELECT pid, coalesce(usename, ''), coalesce(application_name, ''), date_trunc('second', xact_start)::text
FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND pid IN (
    SELECT pid FROM pg_locks WHERE granted AND mode IN ('RowShareLock', 'RowExclusiveLock')
    AND relation IN (SELECT to_regclass(name) FROM unnest(%(tables)s::text[]) AS name)
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
ORDER BY xact_start
