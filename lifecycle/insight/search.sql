-- name: find_events
-- The events about one row in one piece of the ledger, also those that share an earlier event's set.
SELECT told.id FROM lifecycle_event AS told
WHERE told.id < %(before)s AND told.id >= %(from)s AND told.model = %(model)s AND told.count > 0
AND CASE WHEN told.basis IS NULL THEN {told_has}
    ELSE (SELECT {owner_has} FROM lifecycle_event AS owner WHERE owner.id = told.basis) END
ORDER BY told.id DESC

-- name: find_table_events
-- Events that are about a row without naming it: its table was emptied, its policy held, a hold lifted.
SELECT told.id FROM lifecycle_event AS told
WHERE told.id > %(since)s AND told.model = %(model)s AND told.count = 0
AND (told.kind IN ('truncated', 'hold_placed') OR told.kind = 'hold_released' AND EXISTS (
    SELECT FROM jsonb_array_elements_text(told.detail -> 'holds') AS hold (number)
    JOIN lifecycle_event AS placed ON placed.id = hold.number::bigint
    WHERE placed.count = 0 OR placed.id = ANY (%(events)s)))

-- name: find_entries
-- The agenda entries that list one row.
SELECT entry.event_id
FROM lifecycle_agenda AS entry
JOIN lifecycle_event AS told ON told.id = entry.event_id
JOIN lifecycle_event AS owner ON owner.id = coalesce(told.basis, told.id)
WHERE entry.policy IN (SELECT name FROM lifecycle_policy WHERE model = %(model)s) AND {owner_has}
ORDER BY entry.due_at
