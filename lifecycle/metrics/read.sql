-- name: limits
-- For the rest of the message: it writes nothing, no statement takes longer than that, and entries come by their index.
-- And the version of the package's part of the database, last.
-- params: milliseconds
SELECT set_config('transaction_read_only', 'on', true), set_config('statement_timeout', %(milliseconds)s, true),
    set_config('lock_timeout', %(milliseconds)s, true), set_config('jit', 'off', true),
    set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true),
    set_config('enable_bitmapscan', 'off', true), obj_description(to_regnamespace('lifecycle'), 'pg_namespace')

-- name: measures
-- Of files, of the log and of tables: what is measured, of which policy or table, what more there is to say, the number.
-- params: most, sealed, tables
WITH clock AS MATERIALIZED (SELECT lifecycle.now_v1() AS now), log AS MATERIALIZED (
    SELECT incarnation, size, shipped, last_event, alarm ->> 'kind' AS alarm
    FROM lifecycle_log ORDER BY incarnation DESC LIMIT 1
), files AS MATERIALIZED (
    SELECT coalesce(sum(count), 0)::float AS due, extract(epoch FROM min(due_at))::float AS oldest
    FROM (SELECT entry.due_at, entry.count FROM clock, lifecycle_agenda AS entry
          WHERE entry.policy = '' AND entry.due_at <= now ORDER BY entry.due_at LIMIT %(most)s) AS read
)
SELECT 'due' AS measured, '' AS name, '' AS more, due AS value FROM files
UNION ALL SELECT 'oldest', '', '', oldest FROM files WHERE oldest IS NOT NULL
UNION ALL SELECT 'blocked', '', '', coalesce(sum(count), 0)::float
    FROM (SELECT entry.count FROM lifecycle_agenda AS entry
          WHERE entry.policy = '' AND entry.attempts > 0 LIMIT %(most)s) AS read
UNION ALL SELECT 'state', '', CASE WHEN lifecycle.all_paused_v1() THEN 'paused' ELSE 'enabled' END, 1
UNION ALL SELECT 'unsealed', '', '', (
    SELECT count(*) FROM (SELECT FROM lifecycle_event AS event WHERE event.id > coalesce(log.last_event, 0)
                          ORDER BY event.id LIMIT %(most)s) AS read)::float
    FROM (SELECT) AS always LEFT JOIN log ON true WHERE %(sealed)s
UNION ALL SELECT 'unshipped', '', '', coalesce(log.size - log.shipped, 0)::float
    FROM (SELECT) AS always LEFT JOIN log ON true WHERE %(sealed)s
UNION ALL SELECT 'unshipped_since', '', '', extract(epoch FROM seal.sealed_at)::float
    FROM log CROSS JOIN LATERAL (
        SELECT part.sealed_at FROM lifecycle_seal AS part WHERE part.log = log.incarnation AND part.first <= log.shipped
        ORDER BY part.first DESC LIMIT 1) AS seal
    WHERE %(sealed)s AND log.shipped < log.size
UNION ALL SELECT 'now', '', '', extract(epoch FROM now)::float FROM clock
UNION ALL SELECT 'alarm', '', coalesce(log.alarm, ''), 1
    FROM (SELECT) AS always LEFT JOIN log ON true WHERE %(sealed)s
UNION ALL SELECT 'dead', given.name, '', one.dead / nullif(one.dead + one.live, 0)
    FROM unnest(%(tables)s::text[]) AS given (name)
    CROSS JOIN LATERAL to_regclass(quote_ident(given.name)) AS place CROSS JOIN LATERAL (
        SELECT sum(pg_stat_get_dead_tuples(part.oid))::float AS dead, sum(pg_stat_get_live_tuples(part.oid))::float AS live
        FROM (SELECT relid AS oid FROM pg_partition_tree(place) UNION SELECT place) AS part
    ) AS one
    WHERE place IS NOT NULL

-- name: states
-- The policies by their states.
SELECT 'state', name, state, 1::float FROM lifecycle_policy ORDER BY name
