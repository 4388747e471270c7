-- name: rows_recorded
-- How many of the story's rows the ledger has events about, by policy and kind, and how many events.
-- params: since, rows
SELECT event.policy, event.kind, count(DISTINCT key), count(DISTINCT event.id)
FROM lifecycle_event AS event, lifecycle.keys_v1(event.id) AS key
WHERE event.id > %(since)s AND event.model || ':' || key = ANY (%(rows)s) AND NOT event.detail ? 'relisted'
GROUP BY 1, 2

-- name: rows_unnamed
-- How many rows ended of which no event has a key: those of sessions.
-- params: since
SELECT event.policy, event.kind, sum(event.count)
FROM lifecycle_event AS event
WHERE event.id > %(since)s AND event.kind = 'purged' AND NOT EXISTS (SELECT FROM lifecycle.keys_v1(event.id))
GROUP BY 1, 2

-- name: lag
-- How long after its time the slowest of the story's rows was tombstoned, and purged.
-- params: since, rows
WITH recorded AS (
    SELECT event.model || ':' || key AS name, kind, due_at, recorded_at
    FROM lifecycle_event AS event, lifecycle.keys_v1(event.id) AS key
    WHERE event.id > %(since)s AND event.model || ':' || key = ANY (%(rows)s)
    AND NOT event.detail ? 'relisted'
), life AS (
    SELECT name,
        min(greatest(due_at, recorded_at)) FILTER (WHERE kind = 'expiry_scheduled') AS due,
        min(recorded_at) FILTER (WHERE kind = 'tombstoned') AS tombstoned_at,
        max(due_at) FILTER (WHERE kind = 'tombstoned') AS grace_ends,
        max(recorded_at) FILTER (WHERE kind = 'purged') AS purged_at
    FROM recorded GROUP BY name
)
SELECT max(tombstoned_at - due), max(purged_at - coalesce(grace_ends, due)) FROM life
