-- name: rooms
-- Of several policies, in their order: rows ended in the last 24 hours, and rows that named persons have allowed beyond
-- the cap in them. Counted by the hour: up to an hour too much of the one, too little of the other.
-- params: policies
SELECT spent.ended, spent.allowed
FROM unnest(%(policies)s::text[]) WITH ORDINALITY AS given (policy, place)
CROSS JOIN LATERAL (
    SELECT coalesce(sum(value::bigint) FILTER (WHERE NOT allowed AND key >= oldest), 0)::bigint,
        coalesce(sum(value::bigint) FILTER (WHERE allowed AND substr(key, 9, 13) > oldest), 0)::bigint
    FROM lifecycle_policy AS state CROSS JOIN LATERAL jsonb_each_text(state.spent)
    CROSS JOIN LATERAL (SELECT starts_with(key, 'allowed') AS allowed,
        to_char(lifecycle.now_v1() AT TIME ZONE 'UTC' - interval '24 hours', 'YYYY-MM-DD"T"HH24') AS oldest) AS clock
    WHERE state.name = given.policy
) AS spent (ended, allowed)
ORDER BY given.place

-- name: due_entries
-- How many rows the due entries of a policy list at most; tombstoned ones were counted before.
-- params: policy; parts: due_agenda
SELECT coalesce(sum(count), 0)::bigint FROM {due_agenda} AS entry
WHERE policy = %(policy)s AND due_at <= (SELECT lifecycle.now_v1()) AND tombstone IS NULL AND window_at IS NULL

-- name: due_rows
-- How many rows are due and would be ended, counted no further than `most`.
-- params: policy, model, most; parts: held, restored, by_hand, told
SELECT count(*) FROM (
    SELECT FROM ({state_sql}) AS state
    WHERE key IN (
        SELECT key::{type} FROM lifecycle_agenda, lifecycle.keys_v1(event_id) AS key
        WHERE policy = %(policy)s AND due_at <= (SELECT lifecycle.now_v1()) AND tombstone IS NULL)
    AND matches AND NOT keep
    AND NOT {held} AND NOT {restored}
    AND (lifecycle.finite_v1(due::timestamptz) <= (SELECT lifecycle.now_v1()) OR {by_hand})
    AND ({told} OR {by_hand})
    LIMIT %(most)s
) AS counted

-- name: counted_rows
-- The rows of a table, one by one, no further than `most` (NULL: all).
-- params: most
SELECT count(*) FROM (SELECT FROM {table} LIMIT %(most)s::bigint) AS counted

-- name: tables_rows
-- The planner's estimate of the rows of several tables, their partitions' included; 0 for one that was never analysed, or
-- is not there. That estimate is as old as the last ANALYZE or VACUUM; where the server has counted since, the fewer rows
-- hold: a table that was emptied has no tenth of what it was. The server's count is itself lost by a crash or failover,
-- and with it the dates of its looks: then the estimate stands.
-- params: tables
SELECT given.name, one.rows
FROM unnest(%(tables)s::text[]) AS given (name)
CROSS JOIN LATERAL to_regclass(quote_ident(given.name)) AS place CROSS JOIN LATERAL (
    SELECT coalesce(sum(CASE
        WHEN coalesce(pg_stat_get_last_analyze_time(oid), pg_stat_get_last_autoanalyze_time(oid),
                      pg_stat_get_last_vacuum_time(oid), pg_stat_get_last_autovacuum_time(oid)) IS NULL
        THEN greatest(reltuples, 0)
        ELSE least(greatest(reltuples, 0), pg_stat_get_live_tuples(oid)) END), 0)::bigint
    FROM pg_class
    WHERE relkind <> 'p' AND oid IN (SELECT relid FROM pg_partition_tree(place) UNION SELECT place)
) AS one (rows)
