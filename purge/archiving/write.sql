-- name: hash_part
-- What was written of a part: rows that were gone by then are in it no more. The hashes come as one
-- value, 32 bytes for each key.
UPDATE purge_archive_part SET keys = coalesce(%(keys)s::text[], keys), hashes = ARRAY(
    SELECT substr(told, 32 * place + 1, 32)
    FROM (SELECT %(hashes)s::bytea) AS one (told), generate_series(0, length(told) / 32 - 1) AS place
    ORDER BY place)
WHERE id = %(part)s
