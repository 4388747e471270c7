-- name: unshared
-- Events above the highest that was sealed, in the gaps below it, and those of some numbers.
-- params: last, beyond, lows, highs
SELECT id FROM lifecycle_event WHERE id > %(last)s
UNION SELECT id FROM lifecycle_event WHERE id = ANY (%(beyond)s::bigint[])
UNION SELECT event.id FROM unnest(%(lows)s::bigint[], %(highs)s::bigint[]) AS gap (low, high)
CROSS JOIN LATERAL (SELECT id FROM lifecycle_event WHERE id BETWEEN gap.low AND gap.high) AS event
ORDER BY 1
