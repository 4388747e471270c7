-- 4. No object is deleted while a live row refers to it, and none is left behind: no name in a file field
-- is one whose object was deleted after the row was written, of whichever model on the same storage;
-- and no orphan waits longer than the stated time past its grace. That a row was there before is told by
-- the numbers of the transactions: a row that was written again since counts as a new one.
WITH live AS (
    {files}
), deleted AS (
    SELECT event.id, fields.storage, one.name, age(event.xmin) AS age
    FROM lifecycle_event AS event
    CROSS JOIN LATERAL jsonb_array_elements_text(
        CASE jsonb_typeof(event.detail -> 'names') WHEN 'array' THEN event.detail -> 'names' END) AS one (name)
    JOIN (VALUES {fields}) AS fields (model, field, storage)
        ON fields.model = event.model AND fields.field = event.detail ->> 'field'
    WHERE event.kind = 'media_purged'
), acting AS (
    SELECT max(recorded_at) AS since FROM lifecycle_event WHERE kind IN ('resumed', 'policy_changed')
    HAVING NOT EXISTS (SELECT FROM lifecycle_policy WHERE state = 'paused')
        OR EXISTS (SELECT FROM lifecycle_policy WHERE state = 'enabled')
)
SELECT deleted.id, live.model || ':' || live.key, 'its ' || live.field || ' was deleted, and it is there'
FROM live JOIN deleted USING (storage, name) WHERE live.age > deleted.age
UNION ALL
SELECT entry.event_id, event.model, entry.count || ' names of ' || coalesce(event.detail ->> 'field', 'no field')
    || ' may go since ' || entry.due_at
FROM lifecycle_agenda AS entry JOIN lifecycle_event AS event ON event.id = entry.event_id, acting
WHERE entry.policy = '' AND greatest(entry.due_at, acting.since)
    < lifecycle.now_v1() - %(stated)s::interval
ORDER BY 1, 2
