-- name: ended_after
-- The first event after one that ended a row of a table, also in a batch with others. The row's key is looked for in
-- some ranges of the ledger.
-- params: model, event, key, lows, highs
WITH found AS (
    SELECT event.* FROM unnest(%(lows)s::bigint[], %(highs)s::bigint[]) AS piece (low, high)
    JOIN lifecycle_event AS event ON event.id >= piece.low AND event.id < piece.high
    WHERE event.id > %(event)s AND event.kind IN ('purged', 'deleted')
    AND event.model = %(model)s AND %(key)s::text IN (SELECT lifecycle.keys_v1(event.id))
    UNION ALL
    SELECT event.* FROM lifecycle_event AS event
    WHERE event.id > %(event)s AND event.kind = 'truncated' AND event.model = %(model)s
)
SELECT id, kind, recorded_at, count, detail::text FROM found
WHERE cause <> 'cascade' ORDER BY id LIMIT 1
