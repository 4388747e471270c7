-- 9. No policy ends more rows in any 24 hours than its cap, without somebody's name: the rows that
-- were tombstoned, or ended without a tombstone. A cap that is a share of the table is taken of
-- what the table has now and all that the policy has ended, so the check is on the mild side. Rows
-- that named people have erased on request are left out: the cap stops no single row.
WITH story AS (
    SELECT *, count(*) FILTER (WHERE kind IN ('expiry_scheduled', 'restored', 'capture_failed', 'loaded')
                               AND NOT detail ? 'relisted')
        OVER (PARTITION BY policy, model, key ORDER BY id) AS change
    FROM lifecycle.story_v1() WHERE key IS NOT NULL
), marked AS (
    SELECT *, bool_or(kind = 'tombstoned')
        OVER (PARTITION BY policy, model, key, change ORDER BY id) AS stoned
    FROM story
), first_ended AS (
    SELECT id, policy, recorded_at, count(*) AS rows FROM marked
    WHERE NOT (detail ? 'erasure' AND actor <> '') AND (kind = 'tombstoned'
        OR kind IN ('purged', 'updated') AND NOT stoned AND cause NOT IN ('cascade', 'replay'))
    GROUP BY 1, 2, 3
    UNION ALL  -- of tables whose keys are secrets the ledger only counts
    SELECT story.id, story.policy, story.recorded_at, event.count
    FROM lifecycle.story_v1() AS story JOIN lifecycle_event AS event ON event.id = story.id
    WHERE story.key IS NULL AND event.kind = 'purged' AND event.detail ? 'windows' AND event.cause <> 'cascade'
), spent AS (
    SELECT *, sum(rows) OVER (PARTITION BY policy) AS ever, sum(rows) OVER (
            PARTITION BY policy ORDER BY recorded_at
            RANGE BETWEEN interval '24 hours' PRECEDING AND CURRENT ROW) AS in_a_day
    FROM first_ended
), caps AS (
    SELECT name, rows, fraction, (
        SELECT coalesce(sum(greatest(reltuples, pg_stat_get_live_tuples(oid), 0)), 0) FROM pg_class WHERE oid IN (
            SELECT relid FROM pg_partition_tree(quote_ident(table_name)::regclass)
            UNION SELECT quote_ident(table_name)::regclass)) AS table_rows
    FROM unnest(%(names)s::text[], %(tables)s::text[], %(cap_rows)s::bigint[],
                %(cap_fractions)s::float[]) AS cap (name, table_name, rows, fraction)
), capped AS (
    SELECT spent.*, greatest(cap.rows, floor(cap.fraction * (cap.table_rows + ever))) + (
            SELECT coalesce(sum((resumed.detail ->> 'allow')::bigint), 0)
            FROM lifecycle_event AS resumed
            WHERE resumed.kind = 'resumed' AND resumed.policy = spent.policy AND resumed.actor <> ''
            AND resumed.recorded_at BETWEEN spent.recorded_at - interval '24 hours'
                                        AND spent.recorded_at) AS cap
    FROM spent
    JOIN caps AS cap ON cap.name = spent.policy
)
SELECT id, policy, in_a_day || ' rows ended in 24 hours, the cap is ' || cap FROM capped
WHERE in_a_day > cap ORDER BY 1
