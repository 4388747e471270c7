-- name: rows_told
-- How many of the story's rows the ledger has events about, by policy and kind, and how many events.
SELECT told.policy, told.kind, count(DISTINCT key), count(DISTINCT told.id)
FROM lifecycle_event AS told, lifecycle.keys_v1(told.id) AS key
WHERE told.id > %(since)s AND told.model || ':' || key = ANY (%(rows)s) AND NOT told.detail ? 'relisted'
GROUP BY 1, 2

-- name: lag
-- How long after its time the slowest of the story's rows was tombstoned, and purged.
WITH told AS (
    SELECT told.model || ':' || key AS name, kind, due_at, recorded_at
    FROM lifecycle_event AS told, lifecycle.keys_v1(told.id) AS key
    WHERE told.id > %(since)s AND told.model || ':' || key = ANY (%(rows)s)
    AND NOT told.detail ? 'relisted'
), life AS (
    SELECT name,
        min(greatest(due_at, recorded_at)) FILTER (WHERE kind = 'expiry_scheduled') AS due,
        min(recorded_at) FILTER (WHERE kind = 'tombstoned') AS tombstoned_at,
        max(due_at) FILTER (WHERE kind = 'tombstoned') AS grace_ends,
        max(recorded_at) FILTER (WHERE kind = 'purged') AS purged_at
    FROM told GROUP BY name
)
SELECT max(tombstoned_at - due), max(purged_at - coalesce(grace_ends, due)) FROM life
