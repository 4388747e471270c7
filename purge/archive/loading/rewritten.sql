-- name: share_locks
-- The locks of policies, shared to the end of the transaction, in one order.
-- params: policies
SELECT lifecycle.share_lock_v1(name) FROM unnest(%(policies)s::text[]) AS name ORDER BY name

-- name: rewritten
-- The event by which another archive stands in the place of one; NULL where none does.
-- params: archive
SELECT max(id) FROM lifecycle_event WHERE kind = 'archive_erased' AND detail ->> 'step' = 'rewritten'
AND detail ->> 'replaces' = %(archive)s
