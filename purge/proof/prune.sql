-- name: steps
-- The ends of the covered pieces that have events of before a time, in their order.
-- params: before
SELECT last FROM lifecycle_segment WHERE model = '' AND EXISTS (
    SELECT FROM lifecycle_event AS event WHERE event.id BETWEEN first AND last AND event.recorded_at < %(before)s)
ORDER BY first

-- name: count
-- params: upto, before
SELECT count(*) FROM lifecycle.prunable_v1(%(upto)s, %(before)s)

-- name: places
-- The events that may go, with the log and the index of each, in their order.
-- params: upto, before
SELECT event, log, index FROM lifecycle.prunable_v1(%(upto)s, %(before)s) ORDER BY log, index

-- name: prune
-- params: events, upto, before
SELECT lifecycle.prune_v1(%(events)s::bigint[], %(upto)s, %(before)s)
