-- name: columns
-- The columns of a table: name, type, whether a row needs a value for it, whether it is computed.
-- params: table
SELECT attname, format_type(atttypid, atttypmod),
    attnotnull AND NOT atthasdef AND attidentity = '', attgenerated <> ''
FROM pg_attribute WHERE attrelid = to_regclass(%(table)s) AND attnum > 0 AND NOT attisdropped
ORDER BY attnum

-- name: rows
-- The condition that a row is one of a part's.
-- params: part
{column} = ANY ((SELECT keys FROM purge_archive_part WHERE id = %(part)s)::{kind}[]{cast})

-- name: read
-- The rows of a part as they are now: each column as text.
-- params: part; parts: rows, values
SELECT {values} FROM {table} WHERE {rows} ORDER BY {own_key}

-- name: copy
-- The rows of a part from a place on, as the text that a format has asked for, and how many: some rows
-- together, because a message costs the client more than a row costs the database.
-- params: part, first, step; parts: line
COPY (
    SELECT lc_lines.text, lc_lines.count
    FROM (SELECT keys::{kind}[]{cast} AS keys FROM purge_archive_part WHERE id = %(part)s OFFSET 0) AS lc_part
    CROSS JOIN LATERAL generate_series(%(first)s, cardinality(lc_part.keys), %(step)s) AS lc_first
    CROSS JOIN LATERAL (
        SELECT string_agg({line}, E'\n' ORDER BY {own_key}), count(*)
        FROM {table} WHERE {column} = ANY (lc_part.keys[lc_first:lc_first + %(step)s - 1])
    ) AS lc_lines (text, count)
) TO STDOUT (FORMAT binary)

-- name: widest
-- The bytes that the widest row of a part has where it is stored, at most: a row fits into a page unless
-- its table has stored something beside it.
-- params: table, part, is_heap; parts: rows, size
WITH RECURSIVE heirs AS (
    SELECT to_regclass(%(table)s)::oid AS oid
    UNION SELECT inhrelid FROM pg_inherits JOIN heirs ON inhparent = heirs.oid
)
SELECT CASE WHEN %(is_heap)s AND (
        SELECT bool_and(reltoastrelid = 0 OR pg_relation_size(reltoastrelid) = 0) FROM heirs JOIN pg_class USING (oid))
    THEN current_setting('block_size')::bigint
    ELSE (SELECT coalesce(max({size}), 0) FROM {table} WHERE {rows}) END

-- name: knows_versions
-- Whether the version of a row tells it: tables of other kinds than PostgreSQL's own may give any
-- number, and a virtual column changes with its expression.
-- params: table
WITH RECURSIVE heirs AS (
    SELECT to_regclass(%(table)s)::oid AS oid
    UNION SELECT inhrelid FROM pg_inherits JOIN heirs ON inhparent = heirs.oid
)
SELECT coalesce(bool_and(relkind = 'p' OR (relkind = 'r' AND amname = 'heap')), false) AND NOT EXISTS (
    SELECT FROM pg_attribute JOIN heirs ON attrelid = heirs.oid WHERE attgenerated = 'v')
FROM heirs JOIN pg_class USING (oid) LEFT JOIN pg_am ON pg_am.oid = relam

-- name: width
-- About how many bytes a row of a table has, with what is stored beside it; NULL where nobody knows.
-- params: table
WITH RECURSIVE heirs AS (
    SELECT to_regclass(%(table)s)::oid AS oid
    UNION SELECT inhrelid FROM pg_inherits JOIN heirs ON inhparent = heirs.oid
)
SELECT (sum(pg_table_size(oid)) / nullif(sum(greatest(reltuples, 0)), 0))::float8
FROM heirs JOIN pg_class USING (oid)

-- name: epoch
-- How long a version can be believed: as long as this server runs, whose transactions alone count on, and
-- the table has the columns that it has now. A restored, promoted or restarted database is another epoch.
-- parts: quoted
(SELECT encode(sha256(convert_to(concat_ws(' ', extract(epoch FROM pg_postmaster_start_time()), {quoted}::regclass::oid,
    string_agg(concat_ws(' ', attnum, attname, atttypid, atttypmod, attgenerated), ',' ORDER BY attnum)), 'UTF8')), 'hex')
    FROM pg_attribute WHERE attrelid = {quoted}::regclass AND attnum > 0 AND NOT attisdropped)

-- name: believed
-- Whether the versions of a part can be believed now. All of them precede `since`, and no number comes
-- again in half of all that there are.
-- parts: epoch
lc_part.epoch = {epoch}
    AND pg_snapshot_xmax(pg_current_snapshot())::text::bigint - lc_part.since < 2147483648

-- name: same
-- Whether a row is as it was written: by its version, else by its hash, which is computed only then.
-- parts: hash
CASE WHEN lc_written.believed AND lc_written.version = {table}.xmin THEN true
    WHEN lc_written.hash IS NOT NULL THEN lc_written.hash = {hash} ELSE false END
