-- name: list
-- Put partitions on the agenda that are over and not on it: how many. Of rows the planner's estimate is told.
-- params: policy, model
WITH part AS MATERIALIZED (
    SELECT * FROM lifecycle.partitions_v1(%(policy)s) AS one
    WHERE one.problem = '' AND one.due IS NOT NULL AND one.until <= lifecycle.now_v1()
    AND NOT EXISTS (SELECT FROM ONLY lifecycle_agenda AS entry
        WHERE entry.policy = %(policy)s AND entry.window_at = one.until)
)
SELECT count(lifecycle.write_v1('expiry_scheduled', %(policy)s, %(model)s, NULL, greatest(part.estimate, 1), NULL,
    part.due, NULL, jsonb_build_object('window', part.until, 'partition', part.name), NULL))
FROM (SELECT * FROM part ORDER BY until) AS part

-- name: due
-- The partitions of a policy that are due, the oldest first: their bounds, and about how many rows.
-- params: policy
SELECT part.low, part.high, part.estimate FROM lifecycle.partitions_v1(%(policy)s) AS part
WHERE part.problem = '' AND part.due <= lifecycle.now_v1() AND EXISTS (SELECT FROM ONLY lifecycle_agenda AS entry
    WHERE entry.policy = %(policy)s AND entry.window_at = part.until AND entry.due_at <= lifecycle.now_v1())
ORDER BY part.until

-- name: look
-- What the rows within bounds are like: all, not ending now, kept, held.
-- params: low, high, model; parts: state, within, table, own_within, held
SELECT one.rows, one.left_out, one.kept, (SELECT count(*) FROM {table} WHERE {own_within} AND {held})
FROM (
    SELECT count(*) AS rows, count(*) FILTER (WHERE keep) AS kept,
        count(*) FILTER (WHERE (matches AND lifecycle.finite_v1(due::timestamptz) <= (SELECT lifecycle.now_v1())) IS NOT TRUE)
            AS left_out
    FROM ({state}) AS state WHERE {within}
) AS one
