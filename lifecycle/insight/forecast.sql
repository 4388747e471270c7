-- name: forecast_listed
-- What the agenda lists of a policy, in rows: all, due now; and the holds in force that touch it.
-- params: policy, model
SELECT coalesce(sum(count), 0)::bigint,
    coalesce(sum(count) FILTER (WHERE due_at <= (SELECT lifecycle.now_v1())), 0)::bigint,
    (SELECT count(*) FROM lifecycle_exception AS held WHERE held.kind = 'hold'
        AND (held.policy = %(policy)s OR held.model = %(model)s)
        AND lifecycle.in_force_v1(held.until, (SELECT lifecycle.now_v1()))),
    lifecycle.now_v1()
FROM lifecycle_agenda WHERE policy = %(policy)s

-- name: forecast_days
-- How many rows of a policy go on which day of the site, as its agenda lists them: those that are not
-- yet tombstoned after the grace that is the same for all.
-- params: grace, zone, policy, span
SELECT ((greatest(due_at, clock.now) + CASE WHEN tombstone IS NULL THEN %(grace)s ELSE interval '0' END)
        AT TIME ZONE %(zone)s::text)::date AS day, sum(count)::bigint
FROM lifecycle_agenda, (SELECT lifecycle.now_v1() AS now OFFSET 0) AS clock
WHERE policy = %(policy)s AND due_at < clock.now + %(span)s
GROUP BY 1 ORDER BY 1

-- name: forecast_table
-- The rows of a policy as its table has them now: that match, that have an end, that are past it, and
-- of those past it the ones that `keep_while` keeps.
-- params: now
SELECT count(*) FILTER (WHERE matches), count(due), count(*) FILTER (WHERE due <= %(now)s),
    count(*) FILTER (WHERE CASE WHEN due <= %(now)s THEN keep END)
FROM (SELECT matches, lifecycle.finite_v1(due::timestamptz) AS due, keep
      FROM ({state_sql}) AS state OFFSET 0) AS state

-- name: forecast_oldest
-- The row of a policy that is past its end for the longest time, or comes to it first.
SELECT {key_text}, lifecycle.finite_v1(due::timestamptz) AS due FROM ({due_sql}) AS state
WHERE due IS NOT NULL ORDER BY state.due LIMIT 1
