-- name: here
-- The end of what this server has written.
SELECT pg_current_wal_insert_lsn()::text

-- name: replayed
-- Of the replicas of a name, whether each has replayed up to a position; NULL where that cannot be known.
-- params: replica, position
SELECT CASE WHEN state IS NOT NULL THEN coalesce(replay_lsn >= %(position)s::pg_lsn, false) END
FROM pg_stat_replication WHERE application_name = %(replica)s
