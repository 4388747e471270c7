-- name: note_part
-- Store the keys of the next part of an archive: of an array, so many from a place on.
-- params: archive, keys, first, count
INSERT INTO purge_archive_part (archive_id, number, keys, epoch, low, high)
SELECT %(archive)s, (
        SELECT coalesce(max(number), 0) + 1 FROM purge_archive_part WHERE archive_id = %(archive)s),
    lc_part.keys::text[], '', lc_ends.low::text, lc_ends.high::text
FROM (SELECT (%(keys)s::{kind}[])[%(first)s:%(first)s + %(count)s - 1] AS keys OFFSET 0) AS lc_part
CROSS JOIN LATERAL (
    SELECT min(key{ordered}) AS low, max(key{ordered}) AS high FROM unnest(lc_part.keys) AS one (key)
) AS lc_ends
