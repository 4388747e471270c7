-- name: ended_after
-- The first event after one that ended a row of a table, also in a batch with others.
SELECT told.id, told.kind, told.recorded_at, told.count, told.detail::text
FROM lifecycle_event AS told
WHERE told.model = %(model)s AND told.id > %(event)s AND told.cause <> 'cascade'
AND told.kind IN ('purged', 'deleted', 'truncated')
AND (told.kind = 'truncated' OR %(key)s::text IN (SELECT lifecycle.keys_v1(told.id)))
ORDER BY told.id LIMIT 1

-- name: media_gone
-- When each of some files was deleted, after an event.
SELECT name, max(told.recorded_at)
FROM lifecycle_event AS told CROSS JOIN LATERAL jsonb_array_elements_text(told.detail -> 'names') AS name
WHERE told.kind = 'media_purged' AND told.id > %(after)s AND told.detail -> 'names' ?| %(names)s::text[]
AND name = ANY (%(names)s::text[])
GROUP BY name ORDER BY name
