-- name: next_log
-- params: before, size, frontier, number, origin
SELECT lifecycle.next_log_v1(%(before)s::int, %(size)s, %(frontier)s, %(number)s::int, %(origin)s)

-- name: log_begun
-- params: detail
SELECT lifecycle.write_v1('log_begun', '', '', NULL, 0, NULL, NULL, NULL, %(detail)s::jsonb, NULL)

-- name: seal
-- params: log, first, events, leaves, salts, frontier, last, gaps
SELECT lifecycle.seal_v1(%(log)s::int, %(first)s, %(events)s::bigint[], %(leaves)s, %(salts)s, %(frontier)s,
    %(last)s::bigint, %(gaps)s::jsonb)
