-- name: span
-- The lowest number of an event, and the last of the covered pieces that begin before a time; NULL where none does. Of each
-- the first event is asked: one by one all events younger than that would be read.
-- params: before
SELECT (SELECT min(id) FROM lifecycle_event WHERE covered.last IS NOT NULL), covered.last FROM (
    SELECT max(last) AS last FROM lifecycle_segment WHERE model = '' AND (
        SELECT event.recorded_at FROM lifecycle_event AS event WHERE event.id BETWEEN first AND last ORDER BY event.id LIMIT 1
    ) < %(before)s
) AS covered

-- name: places
-- The events that may go, with the log and the index of each, in their order.
-- params: upto, before, limit
SELECT event, log, index FROM lifecycle.prunable_v1(%(upto)s, %(before)s) ORDER BY log, index
LIMIT %(limit)s

-- name: prune
-- params: events, upto, before
SELECT lifecycle.prune_v1(%(events)s::bigint[], %(upto)s, %(before)s)
