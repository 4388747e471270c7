-- name: find_events
-- The events about one row in one piece of the ledger, also those that share an earlier event's set.
-- params: before, from, model
SELECT event.id FROM lifecycle_event AS event
WHERE event.id < %(before)s AND event.id >= %(from)s AND event.model = %(model)s AND event.count > 0
AND CASE WHEN event.basis IS NULL THEN {event_has}
    ELSE (SELECT {owner_has} FROM lifecycle_event AS owner WHERE owner.id = event.basis) END
ORDER BY event.id DESC

-- name: find_table_events
-- Events that are about a row without naming it: its table was emptied, its policy held, a hold lifted.
-- params: since, model, events
SELECT event.id FROM lifecycle_event AS event
WHERE event.id > %(since)s AND event.model = %(model)s AND event.count = 0
AND (event.kind IN ('truncated', 'hold_placed') OR event.kind = 'hold_released' AND EXISTS (
    SELECT FROM jsonb_array_elements_text(event.detail -> 'holds') AS hold (number)
    JOIN lifecycle_event AS placed ON placed.id = hold.number::bigint
    WHERE placed.count = 0 OR placed.id = ANY (%(events)s)))

-- name: find_entries
-- The agenda entries that list one row.
-- params: model
SELECT entry.event_id
FROM lifecycle_agenda AS entry
JOIN lifecycle_event AS event ON event.id = entry.event_id
JOIN lifecycle_event AS owner ON owner.id = coalesce(event.basis, event.id)
WHERE entry.policy IN (SELECT name FROM lifecycle_policy WHERE model = %(model)s) AND {owner_has}
ORDER BY entry.due_at
