-- name: columns
-- The columns of a table: name, type, whether a row needs a value for it, whether it is computed.
-- params: table
SELECT attname, format_type(atttypid, atttypmod),
    attnotnull AND NOT atthasdef AND attidentity = '', attgenerated <> ''
FROM pg_attribute WHERE attrelid = to_regclass(%(table)s) AND attnum > 0 AND NOT attisdropped
ORDER BY attnum

-- name: read
-- The rows of some keys as they are now: key, hash, time, and each column as text. OFFSET 0 keeps
-- PostgreSQL from making each text twice, for its own column and for the hash.
-- params: keys
SELECT lc_key::text, sha256(convert_to(ROW({made})::text, 'UTF8')), lc_time, {made}
FROM (SELECT {own_key} AS lc_key, {time} AS lc_time, {values}
      FROM {table} WHERE {column} = ANY ((SELECT %(keys)s::text[])::{kind}[]{cast}) OFFSET 0) AS lc_rows
ORDER BY lc_key

-- name: forget_gone
-- Forget the keys of an archive's rows that are gone: keys may be secrets. Compares keys alone, for a
-- row's hash is compared when it goes.
-- params: archive
WITH lc_left AS MATERIALIZED (
    SELECT part.id, found.* FROM purge_archive_part AS part CROSS JOIN LATERAL (
        SELECT array_agg(key ORDER BY one.place) AS keys, array_agg(one.hash ORDER BY one.place) AS hashes,
            min(key COLLATE "C") AS low, max(key COLLATE "C") AS high
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

-- name: still_there
-- Whether some row of an archive is in the table as it was written.
-- params: archive
SELECT EXISTS (
    SELECT FROM purge_archive_part AS part CROSS JOIN LATERAL (
        SELECT FROM {table} WHERE {column} = ANY (part.keys::{kind}[]{cast}) AND {hash} = ANY (part.hashes) LIMIT 1
    ) AS there WHERE part.archive_id = %(archive)s)
