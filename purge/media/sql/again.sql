-- Every name that was deleted, field by field, and when it was last.
SELECT told.model, told.detail ->> 'field', name, max(told.recorded_at)
FROM lifecycle_event AS told CROSS JOIN LATERAL jsonb_array_elements_text(told.detail -> 'names') AS name
WHERE told.kind = 'media_purged' AND told.recorded_at >= %(since)s
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
