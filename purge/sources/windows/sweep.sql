-- name: next_rows
-- The next rows of windows in the order of their ends, by the index on the column, in parts of a batch:
-- how many, their keys, and where the last one stands, NULL where no row follows. What is restored or
-- expired by hand is listed by its key. As arrays: sets of so many rows would be sorted on the disk.
-- params: rows, most, last_moment, last_key; parts: moment, within, after
WITH lc_found AS (
    SELECT {own_key} AS key, {column} AS own, {moment} AS moment FROM {table}
    WHERE {within} AND {after} ORDER BY {moment}, {column} LIMIT %(most)s
), lc_read AS MATERIALIZED (
    SELECT array_agg(key ORDER BY moment, own) AS keys, array_agg(moment ORDER BY moment, own) AS moments,
        count(*) AS number
    FROM lc_found
)
SELECT least(%(rows)s, number - first + 1),
    (SELECT array_agg(key ORDER BY key)::text FROM unnest(keys[first:last]) AS key),
    CASE WHEN is_followed THEN moments[last]::text END, CASE WHEN is_followed THEN keys[last]::text END
FROM lc_read CROSS JOIN LATERAL generate_series(1, number, %(rows)s) AS first
CROSS JOIN LATERAL (
    SELECT first + %(rows)s - 1, first + %(rows)s - 1 < number + (number = %(most)s)::int
) AS one (last, is_followed)
ORDER BY first

-- name: window_of
-- The window in which a row ends.
-- params: age, unit; parts: moment, rows
SELECT lifecycle.window_text_v1(
    lifecycle.window_v1(lifecycle.finite_v1({moment} + %(age)s::interval), %(unit)s)) FROM {table} WHERE {rows}

-- name: blocked
-- How many rows of each window were found blocked since an event.
-- params: policy, windows, began
SELECT lifecycle.window_text_v1(entry.window_at), sum(entry.count)::bigint
FROM ONLY lifecycle_agenda AS entry JOIN lifecycle_event AS event ON event.id = entry.event_id
WHERE entry.policy = %(policy)s AND entry.window_at = ANY (%(windows)s::timestamptz[])
AND event.kind = 'blocked' AND event.id > %(began)s GROUP BY 1

-- name: left
-- What is left of windows whose rows were all looked at, by window and reason, and when to look again.
-- params: model, now, recheck, unit; parts: within, subjects
WITH lc_state AS MATERIALIZED (
    SELECT {stored_key} AS key, keep, lifecycle.window_v1(lifecycle.finite_v1(due::timestamptz), %(unit)s) AS start
    FROM ({state_sql}) AS state
    WHERE matches AND key IN (SELECT {column} FROM {table} WHERE {within})
), lc_holds AS MATERIALIZED (
    SELECT key::{kind} AS key, CASE WHEN bool_and(until IS NOT NULL) THEN max(until) END AS until
    FROM lifecycle.exceptions_v1('', %(model)s, (SELECT {subjects} FROM lc_state))
    WHERE lifecycle.in_force_v1(until, %(now)s) GROUP BY 1
)
SELECT lifecycle.window_text_v1(start),
    CASE WHEN lc_holds.key IS NOT NULL THEN 'held' WHEN keep THEN 'kept' ELSE 'left' END,
    count(*), min(least(lc_holds.until, %(now)s + %(recheck)s))
FROM lc_state LEFT JOIN lc_holds ON lc_holds.key = lc_state.key
GROUP BY 1, 2 ORDER BY 1, 2

-- name: left_unread
-- The same where the policy's expression fails on some row: nobody knows why they are left.
-- params: now, age, unit; parts: moment, within
SELECT lifecycle.window_text_v1(
        lifecycle.window_v1(lifecycle.finite_v1({moment} + %(age)s::interval), %(unit)s)), 'left', count(*), %(now)s::timestamptz
FROM {table} WHERE {within} GROUP BY 1 ORDER BY 1
