-- name: held
-- When a hold ends by itself, its reason and reference, and the keys that it still holds: all, or the one.
-- params: event, key
SELECT min(held.until), coalesce(min(event.detail ->> 'reason'), ''), coalesce(min(event.detail ->> 'reference'), ''),
    array_agg(held.key ORDER BY held.key)
FROM lifecycle_exception AS held JOIN lifecycle_event AS event ON event.id = held.event_id
WHERE held.event_id = %(event)s AND held.kind = 'hold' AND (%(key)s::text IS NULL OR held.key = %(key)s::text)
