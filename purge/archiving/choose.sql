-- name: note
-- Note the keys of a part.
INSERT INTO purge_archive_part (archive_id, number, keys, low, high)
SELECT %(archive)s, %(number)s, %(keys)s::text[], min(key COLLATE "C"), max(key COLLATE "C")
FROM unnest(%(keys)s::text[]) AS key
