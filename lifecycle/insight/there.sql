-- name: counts_there
-- The rows that the agenda of a policy lists and that are in their table, each once in each count: listed
-- for later, due, tombstoned, kept, blocked, not computed, all.
-- params: policy; parts: keys
WITH clock AS MATERIALIZED (SELECT lifecycle.now_v1() AS now)
SELECT count(DISTINCT key) FILTER (WHERE entry.tombstone IS NULL AND entry.due_at > now),
    count(DISTINCT key) FILTER (WHERE entry.due_at <= now),
    count(DISTINCT key) FILTER (WHERE entry.tombstone IS NOT NULL),
    count(DISTINCT key) FILTER (WHERE event.kind = 'kept'),
    count(DISTINCT key) FILTER (WHERE event.kind = 'blocked'),
    count(DISTINCT key) FILTER (WHERE event.kind = 'capture_failed'), count(DISTINCT key)
FROM clock CROSS JOIN lifecycle_agenda AS entry
JOIN lifecycle_event AS event ON event.id = entry.event_id
JOIN lifecycle_event AS owner ON owner.id = coalesce(event.basis, event.id)
CROSS JOIN LATERAL ({keys}) AS listed (key)
JOIN {table} AS mine ON mine.{pk} = listed.key::{type}
WHERE entry.policy = %(policy)s

-- name: days_there
-- As `forecast_days`, of rows that are in their table.
-- params: grace, zone, policy, span; parts: keys
SELECT ((greatest(entry.due_at, clock.now) + CASE WHEN entry.tombstone IS NULL THEN %(grace)s ELSE interval '0' END)
        AT TIME ZONE %(zone)s::text)::date AS day, count(DISTINCT key)
FROM (SELECT lifecycle.now_v1() AS now OFFSET 0) AS clock CROSS JOIN lifecycle_agenda AS entry
JOIN lifecycle_event AS event ON event.id = entry.event_id
JOIN lifecycle_event AS owner ON owner.id = coalesce(event.basis, event.id)
CROSS JOIN LATERAL ({keys}) AS listed (key)
JOIN {table} AS mine ON mine.{pk} = listed.key::{type}
WHERE entry.policy = %(policy)s AND entry.due_at < clock.now + %(span)s
GROUP BY 1 ORDER BY 1
