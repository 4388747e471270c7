-- name: span
-- The lowest number of an event, and the last of the covered pieces that have events of before a time; NULL where none has.
-- params: before
SELECT (SELECT min(id) FROM lifecycle_event WHERE covered.last IS NOT NULL), covered.last FROM (
    SELECT max(last) AS last FROM lifecycle_segment WHERE model = '' AND EXISTS (
        SELECT FROM lifecycle_event AS event WHERE event.id BETWEEN first AND last AND event.recorded_at < %(before)s)
) AS covered

-- name: places
-- The events that may go, with the log and the index of each, in their order.
-- params: upto, before, limit
SELECT event, log, index FROM lifecycle.prunable_v1(%(upto)s, %(before)s) ORDER BY log, index
LIMIT %(limit)s

-- name: prune
-- params: events, upto, before
SELECT lifecycle.prune_v1(%(events)s::bigint[], %(upto)s, %(before)s)
