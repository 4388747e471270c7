-- name: read_log
-- A log's row; of no number: that in use.
-- params: incarnation
SELECT incarnation, origin, size, frontier, last_event, gaps::text, shipped, shipping, edge, checkpoint,
    witnessed::text, alarm::text, farewell
FROM lifecycle_log WHERE incarnation = %(incarnation)s OR %(incarnation)s IS NULL
ORDER BY incarnation DESC LIMIT 1

-- name: open_log
-- params: incarnation, origin
SELECT lifecycle.open_log_v1(%(incarnation)s::int, %(origin)s)

-- name: try_lock
-- params: name
SELECT lifecycle.try_lock_v1(%(name)s)

-- name: note
-- params: log, fields, edge
SELECT lifecycle.note_log_v1(%(log)s::int, %(fields)s::jsonb, %(edge)s)

-- name: seals
-- What is sealed under the indexes from one to another: of each seal the part that has some of them.
-- params: log, start, end
SELECT array_to_string(events[low + 1:high], ','), substr(leaves, 32 * low + 1, 32 * (high - low)),
    substr(salts, 16 * low + 1, 16 * (high - low))
FROM lifecycle_seal AS seal CROSS JOIN LATERAL (
    SELECT greatest(%(start)s - first, 0)::int AS low, least(%(end)s - first, count)::int AS high) AS part
WHERE log = %(log)s AND first < %(end)s AND high > low AND first >= coalesce(
    (SELECT max(first) FROM lifecycle_seal WHERE log = %(log)s AND first <= %(start)s), 0)
ORDER BY first

-- name: index_of
-- Where an event is sealed: of the seals that span its number, the one that has it.
-- params: event
SELECT seal.log, seal.first + place - 1
FROM lifecycle_seal AS seal, array_position(seal.events, %(event)s::bigint) AS place
WHERE seal.highest >= %(event)s AND seal.lowest <= %(event)s AND place IS NOT NULL
ORDER BY seal.log DESC LIMIT 1
