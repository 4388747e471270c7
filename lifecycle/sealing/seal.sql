-- name: late
-- Events that are there by now, of numbers that were missing.
-- params: lows, highs, most
SELECT event.id FROM unnest(%(lows)s::bigint[], %(highs)s::bigint[]) AS gap (low, high)
CROSS JOIN LATERAL (SELECT id FROM lifecycle_event WHERE id BETWEEN gap.low AND gap.high ORDER BY id) AS event
ORDER BY event.id LIMIT %(most)s

-- name: above
-- The lowest and the highest number of an event above one.
-- params: last
SELECT min(id), max(id) FROM lifecycle_event WHERE id > %(last)s

-- name: seal
-- params: log, first, events, leaves, salts, frontier, last, gaps
SELECT lifecycle.seal_v1(%(log)s::int, %(first)s, %(events)s::bigint[], %(leaves)s, %(salts)s, %(frontier)s,
    %(last)s::bigint, %(gaps)s::jsonb)
