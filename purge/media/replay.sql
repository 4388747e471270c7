-- name: again
-- Every name that was deleted, field by field, and when it was last.
SELECT told.model, told.detail ->> 'field', name, max(told.recorded_at)
FROM lifecycle_event AS told CROSS JOIN LATERAL jsonb_array_elements_text(told.detail -> 'names') AS name
WHERE told.kind = 'media_purged' AND told.recorded_at >= %(since)s
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3

-- name: orphan_again
-- Names whose files are back: due now.
SELECT lifecycle.write_v1('media_orphaned', '', %(model)s, NULL, %(count)s, NULL, lifecycle.now_v1(), NULL,
    %(detail)s::jsonb, NULL)
