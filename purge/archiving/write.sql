-- name: hash_part
-- Store the hashes of a part's rows, given as one value of 32 bytes a row; with `keys`, without the
-- rows that were gone when it was written.
-- params: part, keys, hashes
UPDATE purge_archive_part SET keys = coalesce(%(keys)s::text[], keys), hashes = ARRAY(
    SELECT substr(joined, 32 * place + 1, 32)
    FROM (SELECT %(hashes)s::bytea) AS one (joined), generate_series(0, length(joined) / 32 - 1) AS place
    ORDER BY place)
WHERE id = %(part)s
