-- name: rewritten
-- The event by which another archive stands in the place of one; NULL where none does.
-- params: archive
SELECT max(id) FROM lifecycle_event WHERE kind = 'archive_erased' AND detail ->> 'step' = 'rewritten'
AND detail ->> 'replaces' = %(archive)s
