-- name: tables
-- Of each of these tables, by its oid: rows as the catalogue or the counters have them (NULL: nobody has counted), bytes by the
-- catalogue, rows inserted since the counters began, and when that was (NULL: they were never set back, or a
-- replica, which counts none), whether this role may read it. Views are left out. Of a partitioned table all partitions together. Takes no lock on any of them.
-- params: tables
SELECT given.written, CASE WHEN parts.counted THEN parts.rows END, parts.bytes, parts.inserted,
    (SELECT stats_reset FROM pg_stat_database WHERE datname = current_database() AND NOT pg_is_in_recovery()),
    has_table_privilege(class.oid, 'SELECT')
FROM unnest(%(tables)s::text[]) AS given (written)
JOIN pg_class AS class ON class.oid = to_regclass(given.written) AND class.relkind IN ('r', 'p')
CROSS JOIN LATERAL (
    SELECT coalesce(sum(CASE WHEN leaf.reltuples >= 0 THEN leaf.reltuples ELSE pg_stat_get_live_tuples(leaf.oid) END), 0)::bigint
            AS rows,
        bool_or(leaf.reltuples >= 0 OR pg_stat_get_live_tuples(leaf.oid) > 0) AS counted,
        coalesce(sum((leaf.relpages + coalesce(toast.relpages, 0) + coalesce(indexes.pages, 0))::bigint), 0)::bigint
            * current_setting('block_size')::bigint AS bytes,
        coalesce(sum(pg_stat_get_tuples_inserted(leaf.oid)), 0)::bigint AS inserted
    FROM pg_class AS leaf
    LEFT JOIN pg_class AS toast ON toast.oid = leaf.reltoastrelid
    LEFT JOIN LATERAL (
        SELECT sum(own.relpages)::bigint AS pages FROM pg_index JOIN pg_class AS own ON own.oid = pg_index.indexrelid
        WHERE pg_index.indrelid = leaf.oid
    ) AS indexes ON true
    WHERE leaf.relkind <> 'p' AND leaf.oid IN (SELECT class.oid UNION SELECT relid FROM pg_partition_tree(class.oid))
) AS parts

-- name: columns
-- Which columns of these tables the planner has statistics of.
-- params: tables
SELECT given.written, pg_attribute.attname
FROM unnest(%(tables)s::text[]) AS given (written)
JOIN pg_class AS class ON class.oid = to_regclass(given.written)
JOIN pg_namespace ON pg_namespace.oid = class.relnamespace
JOIN pg_attribute ON pg_attribute.attrelid = class.oid AND pg_attribute.attnum > 0 AND NOT pg_attribute.attisdropped
WHERE EXISTS (SELECT FROM pg_stats WHERE pg_stats.schemaname = pg_namespace.nspname
    AND pg_stats.tablename = class.relname AND pg_stats.attname = pg_attribute.attname)
