-- List one chunk of a table, in the order of its keys: rows read, the last key, how many of them
-- were not on the agenda. What is overdue shares entries; the rest has one a day, under the earliest
-- end of that day, at most as many as `days`: looked at then, and listed more finely.
WITH clock AS MATERIALIZED (
    SELECT lifecycle.now_v1() AS now
), chunk AS MATERIALIZED (
    SELECT key, due FROM ({due_sql}) AS compiled WHERE {after} ORDER BY key LIMIT %(chunk)s
), wanted AS MATERIALIZED (
    SELECT key, due FROM (
        SELECT key::{kind} AS key,
            lifecycle.tick_v1(lifecycle.finite_v1(due::timestamptz), %(resolution)s) AS due
        FROM chunk OFFSET 0) AS ends, clock
    WHERE due <= coalesce(now + %(horizon)s::interval, 'infinity')
    AND key NOT IN (
        SELECT spared.key::{kind} FROM lifecycle_exception AS spared
        WHERE spared.policy = %(policy)s AND spared.kind = 'restored'
        AND (spared.until IS NULL OR spared.until > (SELECT now FROM clock)))
), listed AS MATERIALIZED (
    {listed}
), missing AS MATERIALIZED (
    SELECT key, due, due <= now AS past, date_bin('1 day', due, '2000-01-01 00:00:00+00') AS day
    FROM wanted CROSS JOIN clock LEFT JOIN listed USING (key)
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
SELECT (SELECT count(*) FROM chunk), (SELECT key::text FROM chunk ORDER BY chunk.key DESC LIMIT 1),
    coalesce(cardinality(keys), 0),
    CASE WHEN keys IS NOT NULL THEN lifecycle.scheduled_v1(%(policy)s, %(model)s, {subjects}, dues,
                                                           '{{"carried": "backfill"}}') END
FROM grouped
