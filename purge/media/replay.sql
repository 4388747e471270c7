-- name: deleted_names
-- Every name that was deleted, field by field, and when it was last.
-- params: since
SELECT event.model, event.detail ->> 'field', name, max(event.recorded_at)
FROM lifecycle_event AS event CROSS JOIN LATERAL jsonb_array_elements_text(
    CASE jsonb_typeof(event.detail -> 'names') WHEN 'array' THEN event.detail -> 'names' END) AS name
WHERE event.kind = 'media_purged' AND event.recorded_at >= %(since)s
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3

-- name: orphan_again
-- Append that names are orphaned again, due now.
-- params: model, count, detail
SELECT lifecycle.write_v1('media_orphaned', '', %(model)s, NULL, %(count)s, NULL, lifecycle.now_v1(), NULL,
    %(detail)s::jsonb, NULL)
