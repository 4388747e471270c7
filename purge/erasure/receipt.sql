-- name: media_gone
-- When each of some files was deleted, after an event.
-- params: names, after
SELECT name, max(event.recorded_at)
FROM lifecycle_event AS event CROSS JOIN LATERAL jsonb_array_elements_text(event.detail -> 'names') AS name
WHERE event.kind = 'media_purged' AND event.id > %(after)s AND event.detail -> 'names' ?| %(names)s::text[]
AND name = ANY (%(names)s::text[])
GROUP BY name ORDER BY name
