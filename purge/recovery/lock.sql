-- name: lock
-- params: name
SELECT lifecycle.try_lock_v1(%(name)s)

-- name: others
-- Sessions of clients with this database, but this one and one more. Of what they do a role may not know.
-- params: own
SELECT pid, usename::text FROM pg_stat_activity
WHERE datid = (SELECT oid FROM pg_database WHERE datname = current_database())
AND pid NOT IN (pg_backend_pid(), %(own)s) AND coalesce(backend_type, 'client backend') = 'client backend'
ORDER BY pid
