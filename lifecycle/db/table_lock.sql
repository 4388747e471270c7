-- name: lock_table
LOCK TABLE {table} IN {mode} MODE

-- name: writers_of
-- The session whose open transaction has had a table locked against triggers for longest.
-- params: table
SELECT pid, application_name, date_trunc('second', xact_start) FROM pg_locks
JOIN pg_stat_activity USING (pid)
WHERE relation = %(table)s::regclass AND granted AND pid <> pg_backend_pid()
AND mode NOT IN ('AccessShareLock', 'RowShareLock')
ORDER BY xact_start LIMIT 1
