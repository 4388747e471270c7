-- name: measures
-- Of workers: sums of what their batches have done, pauses between them, and when they last looked. Reads no run and no
-- event. Columns as `lifecycle.metrics.read.Sample` has them.
-- params: bounds
WITH known AS MATERIALIZED (
    SELECT name FROM lifecycle_policy UNION SELECT policy FROM purge_total UNION SELECT ''
), seen AS MATERIALIZED (
    SELECT max(greatest(seen_at, opened_at)) AS at FROM purge_alert WHERE kind = 'look' AND ended_at IS NULL
), sums AS MATERIALIZED (
    SELECT known.name, coalesce(max(total.last_batch_at), '-infinity') AS last_batch_at,
        coalesce(sum(seconds), 0) AS seconds,
        coalesce(sum(tombstoned), 0) AS tombstoned, coalesce(sum(purged), 0) AS purged,
        coalesce(sum(updated), 0) AS updated, coalesce(sum(kept), 0) AS kept, coalesce(sum(held), 0) AS held,
        coalesce(sum(blocked), 0) AS blocked, coalesce(sum(locked), 0) AS locked
    FROM known LEFT JOIN purge_total AS total ON total.policy = known.name GROUP BY known.name
)
SELECT 'rows', name, outcome, rows::float FROM sums CROSS JOIN LATERAL (VALUES ('tombstoned', tombstoned), ('purged', purged),
    ('updated', updated), ('kept', kept), ('held', held), ('blocked', blocked), ('locked', locked)) AS one (outcome, rows)
UNION ALL SELECT 'seconds', name, '', seconds FROM sums
UNION ALL SELECT 'batches', total.policy, coalesce(trim_scale((%(bounds)s::numeric[])[place])::text, '+Inf'), sum(part.batches)::float
    FROM purge_total AS total CROSS JOIN LATERAL unnest(total.spread) WITH ORDINALITY AS part (batches, place)
    GROUP BY total.policy, place
UNION ALL SELECT 'last_pass', sums.name, '', extract(epoch FROM greatest(seen.at, nullif(last_batch_at, '-infinity')))::float
    FROM sums CROSS JOIN seen LEFT JOIN lifecycle_policy AS state ON state.name = sums.name
    WHERE sums.name = '' OR state.state <> 'removed'
UNION ALL SELECT 'throttled', policy, reason, seconds FROM purge_throttle
UNION ALL SELECT 'seen', '', '', extract(epoch FROM at)::float FROM seen WHERE at IS NOT NULL
