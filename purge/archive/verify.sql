-- name: names_under_way
-- The archives that are being made: their files may be there, and their manifest not yet.
SELECT name FROM purge_archive WHERE state <> 'done' AND name <> ''
UNION SELECT name FROM purge_rewrite WHERE state = 'making' AND name <> ''
