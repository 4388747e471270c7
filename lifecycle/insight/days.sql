-- name: days
-- Rows ended and brought back, by day of UTC and kind: what the worker has summed up of the ledger, and the newest of
-- what it has not yet, no further back than so many events; and whether events between the two were left out.
-- params: days, most
WITH clock AS MATERIALIZED (
    SELECT (lifecycle.now_v1() AT TIME ZONE 'UTC')::date AS today
), covered AS MATERIALIZED (
    SELECT coalesce((SELECT last FROM lifecycle_segment WHERE model = '' ORDER BY model DESC, first DESC LIMIT 1), 0) AS upto
), newest AS MATERIALIZED (
    SELECT coalesce(max(id), 0) AS last FROM lifecycle_event
), told AS (
    SELECT days FROM lifecycle_segment WHERE model = ''
    UNION ALL
    SELECT lifecycle.days_v1(greatest(upto + 1, last - %(most)s::bigint), last) FROM covered, newest
)
SELECT day::date, kind, sum(rows::bigint)::bigint,
    EXISTS (SELECT FROM lifecycle_event AS event, covered, newest WHERE id > upto AND id < last - %(most)s::bigint)
FROM told CROSS JOIN LATERAL jsonb_each(told.days) AS by_day (day, kinds)
CROSS JOIN LATERAL jsonb_each_text(by_day.kinds) AS by_kind (kind, rows), clock
WHERE day::date > today - %(days)s::int
GROUP BY 1, 2 ORDER BY 1, 2
