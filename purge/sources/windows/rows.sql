-- name: sweep_find
-- The next rows of windows in the order of their ends, by the index on the column: how many, their
-- keys, and where the last one stands. What is restored or expired by hand is listed by its key.
WITH lc_found AS MATERIALIZED (
    SELECT {column}::{kind} AS key, {column} AS own, {moment} AS moment FROM {table}
    WHERE {within} AND {after} ORDER BY {moment}, {column} LIMIT %(rows)s
), lc_last AS (
    SELECT moment, own FROM lc_found ORDER BY moment DESC, own DESC LIMIT 1
)
SELECT (SELECT count(*) FROM lc_found), (SELECT array_agg(key ORDER BY key)::text FROM lc_found),
    (SELECT moment::text FROM lc_last), (SELECT own::text FROM lc_last)

-- name: sweep_window
-- The window in which a row ends.
SELECT lifecycle.window_text_v1(
    lifecycle.window_v1(lifecycle.finite_v1({moment} + %(age)s::interval), %(unit)s)) FROM {table} WHERE {rows}

-- name: sweep_blocked
-- How many rows of each window were found blocked since an event.
SELECT lifecycle.window_text_v1(entry.window_at), sum(entry.count)::bigint
FROM lifecycle_agenda AS entry JOIN lifecycle_event AS told ON told.id = entry.event_id
WHERE entry.policy = %(policy)s AND entry.window_at = ANY (%(windows)s::timestamptz[])
AND told.kind = 'blocked' AND told.id > %(began)s GROUP BY 1

-- name: sweep_left
-- What is left of windows whose rows were all looked at, by window and reason, and when to look again.
WITH lc_state AS MATERIALIZED (
    SELECT key::{kind} AS key, keep, lifecycle.window_v1(lifecycle.finite_v1(due::timestamptz), %(unit)s) AS start
    FROM ({state_sql}) AS state
    WHERE matches AND key IN (SELECT {column} FROM {table} WHERE {within})
), lc_holds AS MATERIALIZED (
    SELECT key::{kind} AS key, CASE WHEN bool_and(until IS NOT NULL) THEN max(until) END AS until
    FROM lifecycle_exception
    WHERE kind = 'hold' AND model = %(model)s AND key <> '' AND lifecycle.in_force_v1(until, %(now)s) GROUP BY 1
)
SELECT lifecycle.window_text_v1(start),
    CASE WHEN lc_holds.key IS NOT NULL THEN 'held' WHEN keep THEN 'kept' ELSE 'left' END,
    count(*), min(least(lc_holds.until, %(now)s + %(recheck)s))
FROM lc_state LEFT JOIN lc_holds ON lc_holds.key = lc_state.key
GROUP BY 1, 2 ORDER BY 1, 2

-- name: sweep_there
-- The same where the policy's expression fails on some row: nobody knows why they are left.
SELECT lifecycle.window_text_v1(
        lifecycle.window_v1(lifecycle.finite_v1({moment} + %(age)s::interval), %(unit)s)), 'left', count(*), %(now)s::timestamptz
FROM {table} WHERE {within} GROUP BY 1 ORDER BY 1
