-- name: any_left
SELECT EXISTS (SELECT FROM lifecycle_event WHERE kind = 'pruned')

-- name: places
-- The events that have left the table, of ranges of numbers, with the log and the index of each.
-- params: lows, highs
WITH gone AS MATERIALIZED (
    SELECT event FROM lifecycle_event AS said, unnest(said.subjects_bigint) AS event
    JOIN unnest(%(lows)s::bigint[], %(highs)s::bigint[]) AS piece (low, high) ON event >= low AND event < high
    WHERE said.kind = 'pruned'
)
SELECT gone.event, seal.log, seal.first + one.place - 1
FROM lifecycle_seal AS seal, unnest(seal.events) WITH ORDINALITY AS one (event, place)
JOIN gone ON gone.event = one.event
WHERE seal.highest >= (SELECT min(event) FROM gone) AND seal.lowest <= (SELECT max(event) FROM gone)
