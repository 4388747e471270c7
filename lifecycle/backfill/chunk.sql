-- name: backfill
-- List one chunk of a table, in the order of its keys: rows read, the last key, how many of them
-- were not on the agenda. What is overdue shares entries; the rest has one a day, under the earliest
-- end of that day, at most as many as `days`: looked at then, and listed more finely.
-- What is listed is a part of what is wanted. They meet in a FULL JOIN because it is the one join that
-- is never a nested loop, which is what a planner chooses that takes both for small.
-- params: chunk, resolution, horizon, policy, days, model
WITH clock AS MATERIALIZED (
    SELECT lifecycle.now_v1() AS now
), chunk AS MATERIALIZED (
    SELECT key, due FROM ({due_sql}) AS compiled WHERE {after} ORDER BY key LIMIT %(chunk)s
), wanted AS MATERIALIZED (
    SELECT key, due FROM (
        SELECT {stored_key} AS key,
            lifecycle.tick_v1(lifecycle.finite_v1(due::timestamptz), %(resolution)s) AS due
        FROM chunk OFFSET 0) AS ends, clock
    WHERE due <= coalesce(now + %(horizon)s::interval, 'infinity')
    AND NOT {restored}
), listed AS MATERIALIZED (
    {listed}
), missing AS MATERIALIZED (
    SELECT key, due, due <= now AS past, date_bin('1 day', due, '2000-01-01 00:00:00+00') AS day
    FROM wanted CROSS JOIN clock FULL JOIN listed USING (key)
    WHERE NOT coalesce(first <= greatest(due, now) OR again AND due <= now, false)
), days AS (
    SELECT day, (row_number() OVER (ORDER BY day) - 1) * %(days)s
        / greatest(count(*) OVER (), %(days)s) AS part
    FROM (SELECT DISTINCT day FROM missing WHERE NOT past) AS one
), coarse AS (
    SELECT key, min(due) OVER (PARTITION BY past, part) AS due
    FROM missing LEFT JOIN days ON days.day = missing.day AND NOT past
), grouped AS (
    SELECT array_agg(key ORDER BY due, key) AS keys, array_agg(due ORDER BY due, key) AS dues FROM coarse
)
SELECT (SELECT count(*) FROM chunk), (SELECT {key_text} FROM chunk ORDER BY chunk.key DESC LIMIT 1),
    coalesce(cardinality(keys), 0),
    CASE WHEN keys IS NOT NULL THEN lifecycle.scheduled_v1(%(policy)s, %(model)s, {subjects}, dues,
                                                           '{{"relisted": "backfill"}}') END
FROM grouped

-- name: backfill_failed
-- A chunk of a table among whose rows the policy's expression fails: rows, the last key, and how many
-- of them were not on the agenda and are listed for the worker, which looks at them one by one.
-- params: chunk, policy, model, sqlstate
WITH clock AS MATERIALIZED (
    SELECT lifecycle.now_v1() AS now
), chunk AS MATERIALIZED (
    SELECT {pk} AS key FROM {table} WHERE {after} ORDER BY 1 LIMIT %(chunk)s
), wanted AS MATERIALIZED (
    SELECT {stored_key} AS key FROM chunk
), listed AS MATERIALIZED (
    {listed}
), missing AS (
    SELECT array_agg(key ORDER BY key) AS keys FROM wanted FULL JOIN listed USING (key)
    WHERE first IS NULL
)
SELECT (SELECT count(*) FROM chunk), (SELECT {key_text} FROM chunk ORDER BY chunk.key DESC LIMIT 1),
    coalesce(cardinality(keys), 0),
    CASE WHEN keys IS NOT NULL
         THEN lifecycle.capture_failed_v1(%(policy)s, %(model)s, {subjects}, %(sqlstate)s) END
FROM missing

-- name: backfill_listed
-- A part of the two others: of the wanted rows those that the agenda lists, from when, and whether
-- some entry has been told to look at them again (kept, held, in their grace, blocked), which
-- counts for a row that is past its end. `near` leaves out the sets that can hold none of them.
-- The sets are read once, past a hash of the wanted keys: OFFSET 0 and coalesce() keep the planner,
-- which takes every set for ten keys, from reading all that is wanted once for each of them.
-- params: policy, horizon
SELECT key, min(due_at) AS first, bool_or(again) AS again
FROM (
    SELECT entry.due_at, again, one.key FROM (
        SELECT entry.due_at, coalesce(event.basis, event.id) AS owner,
            entry.tombstone IS NOT NULL OR event.kind <> 'expiry_scheduled'
                OR coalesce(event.detail ->> 'relisted' NOT IN ('later', 'backfill', 'gathered'), false) AS again
        FROM lifecycle_agenda AS entry JOIN lifecycle_event AS event ON event.id = entry.event_id
        WHERE entry.policy = %(policy)s AND EXISTS (SELECT FROM wanted)
    ) AS entry
    JOIN lifecycle_event AS owner ON owner.id = entry.owner
    CROSS JOIN LATERAL ({keys}) AS one (key)
    WHERE {near} AND (again OR entry.due_at
        <= coalesce((SELECT now FROM clock) + %(horizon)s::interval, 'infinity'))
    OFFSET 0
) AS entry
WHERE coalesce(key IN (SELECT key FROM wanted), false)
GROUP BY key
