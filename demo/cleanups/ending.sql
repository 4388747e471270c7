-- name: purge_due
-- How many rows of a policy, or of some of its rows, are tombstoned; when the first of them is purged.
SELECT count(DISTINCT key), min(entry.due_at)
FROM lifecycle_agenda AS entry, lifecycle.keys_v1(entry.event_id) AS key
WHERE entry.policy = %(policy)s AND entry.tombstone IS NOT NULL
AND (%(keys)s::text[] IS NULL OR key = ANY (%(keys)s))
