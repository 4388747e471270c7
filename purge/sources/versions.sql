-- name: epoch
-- For how long versions of rows of a table can be believed: as long as this server runs, whose transactions alone
-- count on, and the table is this one. A restored, promoted or restarted database is another epoch. Beside it
-- the number before which all the transactions are that wrote what is seen now.
-- parts: table
SELECT concat_ws(' ', extract(epoch FROM pg_postmaster_start_time()), {table}::regclass::oid),
    pg_snapshot_xmax(pg_current_snapshot())::text::bigint

-- name: running
-- The oldest transaction that may be under way; and all that are of those before a number, with their savepoints, NULL
-- where too many numbers would have to be looked at.
-- params: since, most
SELECT least(oldest, %(since)s), CASE WHEN %(since)s - oldest <= %(most)s THEN ARRAY(
    SELECT number FROM generate_series(oldest, %(since)s - 1) AS number
    WHERE pg_xact_status(number::text::xid8) = 'in progress') END
FROM CAST(pg_snapshot_xmin(pg_current_snapshot())::text AS bigint) AS oldest

-- name: tells
-- Whether versions tell rows of these tables: those of other kinds than PostgreSQL's own may give any number.
-- params: tables
WITH RECURSIVE heirs AS (
    SELECT to_regclass(quote_ident(name))::oid AS oid FROM unnest(%(tables)s::text[]) AS given (name)
    UNION SELECT inhrelid FROM pg_inherits JOIN heirs ON inhparent = heirs.oid
)
SELECT coalesce(bool_and(relkind = 'p' OR relkind = 'r' AND amname = 'heap'), false)
FROM heirs LEFT JOIN pg_class USING (oid) LEFT JOIN pg_am ON pg_am.oid = relam

-- name: lock
-- Lock rows by their keys, in key order, as an UPDATE of other columns would; their keys.
-- params: keys; parts: key, column, given
SELECT {key} FROM {table} WHERE {column} = ANY ({given}) ORDER BY {column} FOR NO KEY UPDATE

-- name: classify
-- What became of rows since their versions were read: the keys of those that are as they were, and of those that
-- are gone. The others were changed, or another row has the key.
-- params: keys, versions, epoch, since; parts: key, column, given, version, epoch_now
WITH lc_planned AS MATERIALIZED (
    SELECT * FROM unnest(%(keys)s::text[], %(versions)s::text[]) AS lc_planned (key, version)
), lc_there AS MATERIALIZED (
    SELECT {key} AS key, {version} AS version FROM {table} WHERE {column} = ANY ({given})
), lc_believed AS MATERIALIZED (
    SELECT lc_now.epoch = %(epoch)s::text AND lc_now.upto - %(since)s::bigint < 2147483648 AS lc_ok
    FROM ({epoch_now}) AS lc_now (epoch, upto)
)
SELECT array_agg(lc_planned.key) FILTER (WHERE lc_there.version = lc_planned.version AND (SELECT lc_ok FROM lc_believed)),
    array_agg(lc_planned.key) FILTER (WHERE lc_there.key IS NULL)
FROM lc_planned LEFT JOIN lc_there ON lc_there.key = lc_planned.key
