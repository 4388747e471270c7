-- name: note_part
-- Store the keys of the next part of an archive.
-- params: archive, keys
INSERT INTO purge_archive_part (archive_id, number, keys, low, high)
SELECT %(archive)s, (
        SELECT coalesce(max(number), 0) + 1 FROM purge_archive_part WHERE archive_id = %(archive)s),
    %(keys)s::text[], min(key COLLATE "C"), max(key COLLATE "C")
FROM unnest(%(keys)s::text[]) AS key
