-- name: passing
-- A part of other statements: whether a row is past its end and nothing stands in the way. A tombstone
-- counts where it is no earlier than the end, and no row of the policy has begun anew since.
-- Whether some row of the set has an exception is asked once, for all of them: then none passes.
-- params: policy, model, now, resolution, tombstone, tombstoned_at, oldest, and those of the set; parts:
-- matches, keep, due, grace_over, subjects
({matches} AND NOT {keep} AND {due}::timestamptz <= (
    SELECT date_bin(%(resolution)s, least(%(now)s::timestamptz, %(tombstoned_at)s::timestamptz),
                    timestamptz '0001-01-01 00:00:00+00'))
AND {grace_over}
AND NOT EXISTS (SELECT FROM lifecycle.exceptions_v1(%(policy)s, %(model)s, {subjects})))

-- name: grace_over
-- The part about the tombstone: whether its grace is over, and it counts for every row.
-- params: now, resolution, tombstoned_at, oldest, policy, model; parts: grace
%(tombstoned_at)s::timestamptz + make_interval(secs => extract(epoch FROM {grace})) <= (
    SELECT date_bin(%(resolution)s, %(now)s::timestamptz, timestamptz '0001-01-01 00:00:00+00'))
AND NOT EXISTS (SELECT FROM lifecycle.renewed_v1(%(policy)s, %(model)s, %(oldest)s::bigint))

-- name: ask_once
-- How many of the locked rows pass, and when the grace is over that begins now.
-- params: now, wait, resolution, and those of `passing`; parts: rows, passing
SELECT count(*), lifecycle.tick_v1(%(now)s::timestamptz + %(wait)s, %(resolution)s)
FROM ({state_sql}) AS state WHERE {rows} AND {passing}
