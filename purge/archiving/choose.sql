-- name: note_part
-- Store the keys of the next part of an archive: of an array, so many from a place on.
-- params: archive, keys, first, count
INSERT INTO purge_archive_part (archive_id, number, keys, epoch, low, high)
SELECT %(archive)s, (
        SELECT coalesce(max(number), 0) + 1 FROM purge_archive_part WHERE archive_id = %(archive)s),
    lc_part.keys, '', min(key{ordered})::text, max(key{ordered})::text
FROM (SELECT ((%(keys)s::{kind}[])[%(first)s:%(first)s + %(count)s - 1])::text[] AS keys) AS lc_part,
    unnest(lc_part.keys) AS one (key)
GROUP BY lc_part.keys
