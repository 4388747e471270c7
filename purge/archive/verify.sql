-- name: names_under_way
-- The archives that are being made: their files may be there, and their manifest not yet.
SELECT name FROM purge_archive WHERE state <> 'done' AND name <> ''

-- name: archived_names
-- The archives that rows have gone into.
SELECT DISTINCT detail ->> 'archive' FROM lifecycle_event
WHERE kind = 'archived' AND detail ->> 'archive' IS NOT NULL
