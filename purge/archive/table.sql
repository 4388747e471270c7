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

-- name: left
-- The rows of an archive that are in the table as they were written. Of most parts no row is there.
-- params: archive; parts: believed, same
FROM (SELECT lc_part.*, {believed} AS believed FROM purge_archive_part AS lc_part
    WHERE lc_part.archive_id = %(archive)s
    AND EXISTS (SELECT FROM {table} WHERE {column} = ANY (lc_part.keys::{kind}[]{cast}) OFFSET 0) OFFSET 0) AS lc_part
CROSS JOIN LATERAL (
    SELECT key, version, hash, place, lc_part.believed
    FROM unnest(lc_part.keys, lc_part.versions, lc_part.hashes) WITH ORDINALITY AS one (key, version, hash, place)
) AS lc_written
JOIN {table} ON {key_text} = lc_written.key
WHERE {column} = ANY (lc_part.keys::{kind}[]{cast}) AND {same}

-- name: still_there
-- Whether some row of an archive is in the table as it was written.
-- params: archive; parts: left
SELECT EXISTS (SELECT {left})

-- name: keep_left
-- Keep of an archive what tells the rows that are left, by their hash from now on: versions are believed
-- for a while only. Keys of rows that are gone are forgotten, they may be secrets; so are those of rows that
-- were changed.
-- params: archive; parts: left, hash
WITH lc_left AS MATERIALIZED (
    SELECT lc_part.id, array_agg(lc_written.key ORDER BY place) AS keys, array_agg({hash} ORDER BY place) AS hashes,
        min(lc_written.key{ordered})::text AS low, max(lc_written.key{ordered})::text AS high
    {left} GROUP BY lc_part.id
), lc_gone AS (
    DELETE FROM purge_archive_part WHERE archive_id = %(archive)s AND id NOT IN (SELECT id FROM lc_left)
)
UPDATE purge_archive_part AS part
SET keys = lc_left.keys, versions = NULL, hashes = lc_left.hashes, low = lc_left.low, high = lc_left.high
FROM lc_left WHERE part.id = lc_left.id

-- name: forget_gone
-- Forget the keys of rows that are gone, of an archive whose rows are told by their hash. Compares keys
-- alone, for a row's hash is compared when it goes.
-- params: archive
WITH lc_left AS MATERIALIZED (
    SELECT part.id, found.* FROM purge_archive_part AS part CROSS JOIN LATERAL (
        SELECT array_agg(key ORDER BY one.place) AS keys, array_agg(one.hash ORDER BY one.place) AS hashes,
            min(key{ordered})::text AS low, max(key{ordered})::text AS high
        FROM unnest(part.keys, part.hashes) WITH ORDINALITY AS one (key, hash, place)
        JOIN (SELECT {key_text} AS key FROM {table}
            WHERE {column} = ANY (part.keys::{kind}[]{cast})) AS own USING (key)
    ) AS found
    WHERE part.archive_id = %(archive)s AND cardinality(part.keys) > coalesce(cardinality(found.keys), 0)
), lc_gone AS (
    DELETE FROM purge_archive_part WHERE id IN (SELECT id FROM lc_left WHERE keys IS NULL)
)
UPDATE purge_archive_part AS part
SET keys = lc_left.keys, hashes = lc_left.hashes, low = lc_left.low, high = lc_left.high
FROM lc_left WHERE part.id = lc_left.id AND lc_left.keys IS NOT NULL
