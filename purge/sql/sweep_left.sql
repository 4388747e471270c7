-- What is left of windows whose rows were all looked at, by window and reason, and when to look again.
WITH lc_state AS MATERIALIZED (
    SELECT key::{kind} AS key, keep, lifecycle.window_v1(lifecycle.finite_v1(due::timestamptz), %(unit)s) AS start
    FROM ({state_sql}) AS state
    WHERE matches AND key IN (SELECT {column} FROM {table} WHERE {within})
), lc_holds AS MATERIALIZED (
    SELECT key::{kind} AS key, CASE WHEN bool_and(until IS NOT NULL) THEN max(until) END AS until
    FROM lifecycle_exception
    WHERE kind = 'hold' AND model = %(model)s AND key <> '' AND (until IS NULL OR until > %(now)s) GROUP BY 1
)
SELECT to_char(start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"'),
    CASE WHEN lc_holds.key IS NOT NULL THEN 'held' WHEN keep THEN 'kept' ELSE 'left' END,
    count(*), min(least(lc_holds.until, %(now)s + %(recheck)s))
FROM lc_state LEFT JOIN lc_holds ON lc_holds.key = lc_state.key
GROUP BY 1, 2 ORDER BY 1, 2
