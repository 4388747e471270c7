-- name: window_due
-- The windows of a policy that are due.
-- params: policy
SELECT DISTINCT lifecycle.window_text_v1(window_at) FROM ONLY lifecycle_agenda
WHERE policy = %(policy)s AND window_at IS NOT NULL AND due_at <= (SELECT lifecycle.now_v1()) ORDER BY 1

-- name: window_rows
-- How many rows are in windows that are due, counted no further than `most`.
-- params: most
SELECT count(*) FROM (SELECT FROM {table} WHERE {within} LIMIT %(most)s) AS counted

-- name: window_due_rows
-- The same of rows that would be ended.
-- params: model, most; parts: within, held
SELECT count(*) FROM (
    SELECT FROM ({state_sql}) AS state
    WHERE matches AND NOT keep AND key IN (SELECT {column} FROM {table} WHERE {within})
    AND NOT {held}
    LIMIT %(most)s
) AS counted

-- name: window_list
-- Windows in which rows end and that the agenda does not know: how many were read, the last of them,
-- how many are listed now. One look into the column's index for each window. A window whose entries
-- all list what was kept, held or blocked counts as known while it has no more rows than they say.
-- Rows that are restored or expired by hand are not asked of: they are on the agenda by their keys.
-- params: past, age, policy, unit, last, most, model, every; parts: moment, matching, low, excepted
WITH RECURSIVE lc_clock AS MATERIALIZED (
    SELECT lifecycle.now_v1() AS now
), lc_bound AS MATERIALIZED (
    SELECT CASE WHEN %(past)s THEN now ELSE '9999-01-01 00:00:00+00' END - %(age)s::interval AS at FROM lc_clock
), lc_step (place, start) AS (
    SELECT 1, lifecycle.window_v1(lifecycle.finite_v1(moment + %(age)s::interval), %(unit)s) FROM (
        SELECT {moment} AS moment FROM {table}
        WHERE {matching} AND {moment} < (SELECT at FROM lc_bound)
        AND {moment} >= coalesce(lifecycle.window_end_v1(%(last)s::timestamptz, %(unit)s) - %(age)s::interval,
                                 '-infinity')
        AND NOT {excepted}
        ORDER BY {moment} LIMIT 1) AS lc_first
    UNION ALL
    SELECT place + 1, lifecycle.window_v1(lifecycle.finite_v1(moment + %(age)s::interval), %(unit)s)
    FROM lc_step CROSS JOIN LATERAL (
        SELECT {moment} AS moment FROM {table}
        WHERE {matching} AND {moment} < (SELECT at FROM lc_bound)
        AND {moment} >= lifecycle.window_end_v1(lc_step.start, %(unit)s) - %(age)s::interval
        AND NOT {excepted}
        ORDER BY {moment} LIMIT 1) AS lc_next
    WHERE place < %(most)s
), lc_known AS (
    SELECT lc_step.start, sum(entry.count) AS rows, coalesce(bool_or(entry.event_id IS NOT NULL
        AND event.kind NOT IN ('kept', 'blocked') AND event.detail ->> 'relisted' IS DISTINCT FROM 'held'), false) AS listed
    FROM lc_step LEFT JOIN ONLY lifecycle_agenda AS entry
        ON entry.policy = %(policy)s AND entry.window_at = lc_step.start
    LEFT JOIN lifecycle_event AS event ON event.id = entry.event_id
    GROUP BY 1
), lc_missing AS (
    SELECT array_agg(start ORDER BY start) AS starts FROM lc_known
    WHERE NOT listed AND (rows IS NULL OR rows < (SELECT count(*) FROM (
        SELECT FROM {table}
        WHERE {matching} AND {moment} < (SELECT at FROM lc_bound)
        AND {moment} >= {low}
        AND {moment} < lifecycle.window_end_v1(lc_known.start, %(unit)s) - %(age)s::interval
        AND NOT {excepted}
        LIMIT lc_known.rows + 1) AS lc_there))
)
SELECT (SELECT count(*) FROM lc_step), (SELECT max(start)::text FROM lc_step), coalesce(cardinality(starts), 0),
    CASE WHEN starts IS NOT NULL THEN lifecycle.windowed_v1(%(policy)s, %(model)s, starts, %(unit)s,
        %(every)s, '{{"relisted": "backfill"}}') END
FROM lc_missing
