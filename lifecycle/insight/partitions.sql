-- name: problems
-- Why partitions of a policy cannot go: the first that cannot for each reason, and how many more.
-- params: policy
SELECT coalesce(min(name), ''), problem, count(*) - 1 FROM lifecycle.partitions_v1(%(policy)s)
WHERE problem <> '' GROUP BY problem ORDER BY problem

-- name: of_row
-- The partition in which a row is: its upper bound, why it cannot go, whether it is over, when it is due; of a key that stands twice, of the one that ends first.
-- params: policy, key; parts: table, pk, typed
SELECT part.until, part.problem, coalesce(part.until <= lifecycle.now_v1(), false), part.due FROM {table} AS there JOIN lifecycle.partitions_v1(%(policy)s) AS part ON part.place = there.tableoid
WHERE there.{pk} = {typed} ORDER BY part.until LIMIT 1
