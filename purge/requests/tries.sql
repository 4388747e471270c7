-- name: moments
-- The clock, and when a hold was released last, or came to its own end.
SELECT lifecycle.now_v1(), greatest(
    (SELECT max(recorded_at) FROM lifecycle_event WHERE kind = 'hold_released'),
    (SELECT max(until) FROM lifecycle_exception WHERE kind = 'hold' AND until <= (SELECT lifecycle.now_v1())))

-- name: is_gone
-- Whether a row of a table has ended after an event, by whatever cause. Its key is looked for in some ranges of the ledger.
-- params: model, key, event, lows, highs
SELECT EXISTS (
    SELECT FROM unnest(%(lows)s::bigint[], %(highs)s::bigint[]) AS piece (low, high)
    JOIN lifecycle_event AS event ON event.id >= piece.low AND event.id < piece.high
    WHERE event.id > %(event)s AND event.kind IN ('purged', 'deleted')
    AND event.model = %(model)s AND %(key)s::text IN (SELECT lifecycle.keys_v1(event.id))
) OR EXISTS (
    SELECT FROM lifecycle_event WHERE id > %(event)s AND kind = 'truncated' AND model = %(model)s
)
