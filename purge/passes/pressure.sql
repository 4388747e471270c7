-- name: measure
-- What may make a pass slow down: the WAL's position (NULL on a standby), the seconds by which the slowest
-- replica is behind, the bytes that are kept for the slowest replica or slot, the share of dead rows in the
-- tables where they are many, the seconds for which somebody has waited for a lock on one of them. A column
-- that the role may not see is NULL.
-- params: tables, many
WITH RECURSIVE place AS (
    SELECT to_regclass(quote_ident(name))::oid AS oid FROM unnest(%(tables)s::text[]) AS own (name)
    UNION
    SELECT inhrelid FROM place JOIN pg_inherits ON inhparent = place.oid
), wal AS (
    SELECT CASE WHEN NOT pg_is_in_recovery() THEN pg_current_wal_insert_lsn() END AS here
)
SELECT here - '0/0',
    (SELECT extract(epoch FROM max(replay_lag)) FROM pg_stat_replication),
    (SELECT max(here - kept) FROM (
        SELECT replay_lsn FROM pg_stat_replication UNION ALL SELECT restart_lsn FROM pg_replication_slots
    ) AS behind (kept)),
    (SELECT CASE WHEN sum(n_dead_tup) >= %(many)s
            THEN sum(n_dead_tup)::float / (sum(n_dead_tup) + sum(n_live_tup)) END
     FROM pg_stat_all_tables WHERE relid IN (SELECT oid FROM place)),
    (SELECT extract(epoch FROM clock_timestamp() - min(waitstart)) FROM pg_locks
     WHERE NOT granted AND relation IN (SELECT oid FROM place)
     AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
FROM wal
