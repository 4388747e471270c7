-- name: find_events
-- The events about one row in one piece of the ledger, also those that share an earlier event's set.
-- params: before, from, model
SELECT event.id FROM lifecycle_event AS event
WHERE event.id < %(before)s AND event.id >= %(from)s AND event.model = %(model)s AND event.count > 0
AND CASE WHEN event.basis IS NULL THEN {event_has}
    ELSE (SELECT {owner_has} FROM lifecycle_event AS owner WHERE owner.id = event.basis) END
ORDER BY event.id DESC

-- name: find_table_events
-- Events that are about a row without naming it: its table was emptied, its policy held, a hold lifted. A hold of a
-- policy is in force, or an event that lifts it names it: so none of the three needs the whole ledger.
-- params: since, model, events
WITH lifted AS MATERIALIZED (
    SELECT event.id, event.count, placed.id AS hold, placed.count AS held
    FROM lifecycle_event AS event
    CROSS JOIN LATERAL jsonb_array_elements_text(event.detail -> 'holds') AS hold (number)
    JOIN lifecycle_event AS placed ON placed.id = hold.number::bigint
    WHERE event.kind = 'hold_released' AND event.model = %(model)s
)
SELECT id FROM lifecycle_event WHERE kind = 'truncated' AND model = %(model)s AND id > %(since)s AND count = 0
UNION
SELECT id FROM lifted WHERE id > %(since)s AND count = 0 AND (held = 0 OR hold = ANY (%(events)s))
UNION
SELECT event.id FROM lifecycle_event AS event
WHERE event.id IN (SELECT hold FROM lifted UNION SELECT event_id FROM lifecycle_exception
                   WHERE kind = 'hold' AND model = %(model)s AND key = '' AND policy <> '')
AND event.kind = 'hold_placed' AND event.model = %(model)s AND event.count = 0 AND event.id > %(since)s

-- name: find_entries
-- The agenda entries that list one row, in some ranges of the ledger.
-- params: model, lows, highs
SELECT entry.event_id
FROM unnest(%(lows)s::bigint[], %(highs)s::bigint[]) AS piece (low, high)
JOIN lifecycle_agenda AS entry ON entry.event_id >= piece.low AND entry.event_id < piece.high
JOIN lifecycle_event AS event ON event.id = entry.event_id
JOIN lifecycle_event AS owner ON owner.id = coalesce(event.basis, event.id)
WHERE entry.policy IN (SELECT name FROM lifecycle_policy WHERE model = %(model)s) AND {owner_has}
ORDER BY entry.due_at
