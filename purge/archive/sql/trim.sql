-- What is left of an archive's rows: the keys of rows that are gone need be known no longer, and may be
-- secrets. By keys alone: whether a row is still as it was written is asked when it goes.
WITH lc_left AS MATERIALIZED (
    SELECT part.id, found.* FROM purge_archive_part AS part CROSS JOIN LATERAL (
        SELECT array_agg(key ORDER BY one.place) AS keys, array_agg(one.hash ORDER BY one.place) AS hashes,
            min(key COLLATE "C") AS low, max(key COLLATE "C") AS high
        FROM unnest(part.keys, part.hashes) WITH ORDINALITY AS one (key, hash, place)
        JOIN (SELECT {column}::{kind}::text AS key FROM {table}
            WHERE {column} = ANY (part.keys::{kind}[]{cast})) AS own USING (key)
    ) AS found
    WHERE part.archive_id = %(archive)s AND cardinality(part.keys) > coalesce(cardinality(found.keys), 0)
), lc_gone AS (
    DELETE FROM purge_archive_part WHERE id IN (SELECT id FROM lc_left WHERE keys IS NULL)
)
UPDATE purge_archive_part AS part
SET keys = lc_left.keys, hashes = lc_left.hashes, low = lc_left.low, high = lc_left.high
FROM lc_left WHERE part.id = lc_left.id AND lc_left.keys IS NOT NULL
