-- 7. The ledger only grows: its guards are there and on, every event that another one names is
-- there (but for settled entries that have left the table for the log: `verify --proof` counts those), and the events of a row are numbered in the order in which they were recorded (to within
-- a second: two sessions may take a number and read the clock crosswise).
WITH guards AS (
    SELECT wanted.name, guard.oid IS NOT NULL AND tgenabled IN ('O', 'A')
        AND tgfoid = to_regprocedure(format('lifecycle.guard_%%s_v1()', wanted.guarded)) AS works
    FROM (VALUES ('lifecycle_event_guard_rows', 'lifecycle_event', 'rows'),
                 ('lifecycle_event_guard_truncate', 'lifecycle_event', 'rows'),
                 ('lifecycle_pending_guard_rows', 'lifecycle_pending', 'pending'),
                 ('lifecycle_pending_guard_truncate', 'lifecycle_pending', 'pending')) AS wanted (name, place, guarded)
    LEFT JOIN pg_trigger AS guard ON tgname = wanted.name AND tgrelid = to_regclass(wanted.place)
), named AS (
    SELECT id, basis AS other, 'basis' AS what FROM lifecycle_event WHERE basis IS NOT NULL
    UNION ALL
    SELECT id, (detail ->> 'tombstone')::bigint, 'tombstone' FROM lifecycle_event
    WHERE detail ? 'tombstone'
    UNION ALL
    SELECT id, unnest(settled), 'settled entry' FROM lifecycle_event WHERE settled IS NOT NULL
    UNION ALL
    SELECT event_id, event_id, 'agenda entry' FROM lifecycle_agenda
    UNION ALL
    SELECT event_id, event_id, 'exception' FROM lifecycle_exception
), pruned AS (
    SELECT coalesce(max((detail ->> 'upto')::bigint), 0) AS upto FROM lifecycle_event WHERE kind = 'pruned'
), ordered AS (
    SELECT id, model, key, recorded_at,
        max(recorded_at) OVER (PARTITION BY model, key ORDER BY id) AS latest
    FROM lifecycle.story_v1() WHERE key IS NOT NULL
)
SELECT NULL::bigint, name, 'the guard is missing or off' FROM guards
WHERE works IS NOT TRUE AND NOT (%(testing)s AND name LIKE '%%guard_truncate')
UNION ALL
SELECT named.id, what, 'names event ' || other || ', which is not in the ledger' FROM named
WHERE NOT EXISTS (SELECT FROM lifecycle_event WHERE lifecycle_event.id = other)
AND NOT (what = 'settled entry' AND other <= (SELECT upto FROM pruned))
UNION ALL
SELECT id, model || ':' || key, 'recorded before an event with a lower number' FROM ordered
WHERE recorded_at < latest - interval '1 second'
ORDER BY 1, 2
