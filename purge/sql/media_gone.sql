-- When each of some files was deleted, after an event.
SELECT name, max(told.recorded_at)
FROM lifecycle_event AS told CROSS JOIN LATERAL jsonb_array_elements_text(told.detail -> 'names') AS name
WHERE told.kind = 'media_purged' AND told.id > %(after)s AND told.detail -> 'names' ?| %(names)s::text[]
AND name = ANY (%(names)s::text[])
GROUP BY name ORDER BY name
