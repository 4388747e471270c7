-- name: table_rows
-- The planner's estimate of a table's rows, its partitions' included; 0 when it was never analysed.
-- That estimate is as old as the last ANALYZE or VACUUM; where the server has counted since, the
-- fewer rows hold: a table that was emptied has no tenth of what it was. The server's count is
-- itself lost by a crash or failover, and with it the dates of its looks: then the estimate stands.
SELECT coalesce(sum(CASE
    WHEN coalesce(pg_stat_get_last_analyze_time(oid), pg_stat_get_last_autoanalyze_time(oid),
                  pg_stat_get_last_vacuum_time(oid), pg_stat_get_last_autovacuum_time(oid)) IS NULL
    THEN greatest(reltuples, 0)
    ELSE least(greatest(reltuples, 0), pg_stat_get_live_tuples(oid)) END), 0)::bigint
FROM pg_class
WHERE relkind <> 'p' AND oid IN (SELECT relid FROM pg_partition_tree(quote_ident(%(table)s)::regclass)
    UNION SELECT quote_ident(%(table)s)::regclass)
