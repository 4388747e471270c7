-- name: ended_after
-- The first event after one that ended a row of a table, also in a batch with others.
-- params: model, event, key
SELECT event.id, event.kind, event.recorded_at, event.count, event.detail::text
FROM lifecycle_event AS event
WHERE event.model = %(model)s AND event.id > %(event)s AND event.cause <> 'cascade'
AND event.kind IN ('purged', 'deleted', 'truncated')
AND (event.kind = 'truncated' OR %(key)s::text IN (SELECT lifecycle.keys_v1(event.id)))
ORDER BY event.id LIMIT 1

-- name: media_gone
-- When each of some files was deleted, after an event.
-- params: names, after
SELECT name, max(event.recorded_at)
FROM lifecycle_event AS event CROSS JOIN LATERAL jsonb_array_elements_text(event.detail -> 'names') AS name
WHERE event.kind = 'media_purged' AND event.id > %(after)s AND event.detail -> 'names' ?| %(names)s::text[]
AND name = ANY (%(names)s::text[])
GROUP BY name ORDER BY name
