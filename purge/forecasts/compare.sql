-- name: happened
-- How many days of a forecast are over, and which rows each policy has ended on which of them. A line without a
-- policy where none has.
-- params: since, made_at, until, zone
WITH lc_clock AS MATERIALIZED (
    SELECT (%(made_at)s::timestamptz AT TIME ZONE %(zone)s::text)::date AS first,
        (least(lifecycle.now_v1(), %(until)s::timestamptz) AT TIME ZONE %(zone)s::text)::date AS last
), lc_over AS MATERIALIZED (
    SELECT last - first + CASE WHEN lifecycle.now_v1() >= %(until)s::timestamptz THEN 1 ELSE 0 END AS days, first FROM lc_clock
), lc_ended AS MATERIALIZED (
    SELECT policy, (recorded_at AT TIME ZONE %(zone)s::text)::date - lc_over.first AS day, sum(count)::bigint AS rows
    FROM lifecycle_event CROSS JOIN lc_over
    WHERE id > %(since)s AND kind IN ('purged', 'updated') AND policy <> '' AND cause NOT IN ('cascade', 'replay')
    GROUP BY 1, 2
)
SELECT lc_over.days, lc_ended.policy, lc_ended.day, lc_ended.rows
FROM lc_over LEFT JOIN lc_ended ON lc_ended.day < lc_over.days ORDER BY 2, 3
