-- name: places
-- The events that may go, with the log and the index of each, in their order.
-- params: before, most
SELECT event, log, index
FROM lifecycle.prunable_v1((SELECT coalesce(max(last), 0) FROM lifecycle_segment WHERE model = ''), %(before)s)
ORDER BY log, index LIMIT %(most)s

-- name: prune
-- params: events, before
SELECT lifecycle.prune_v1(%(events)s::bigint[], (SELECT max(last) FROM lifecycle_segment WHERE model = ''), %(before)s)
