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
