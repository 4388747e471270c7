-- name: waiting
-- By subscriber and policy: lines, rows, the oldest, the attempts at it and the kind of its last error.
-- params: late, names, withins
SELECT subscriber, policy, count(*), sum(rows)::bigint, min(made_at), max(attempts), max(error)
FROM purge_delivery LEFT JOIN unnest(%(names)s::text[], %(withins)s::interval[]) AS said (name, within) ON name = subscriber
WHERE NOT %(late)s OR within IS NULL OR made_at + within <= lifecycle.now_v1()
GROUP BY subscriber, policy ORDER BY min(made_at), subscriber

-- name: oldest
SELECT min(made_at) FROM purge_delivery
