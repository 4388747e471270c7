-- Events that are about a row without naming it: its table was emptied, its policy held, a hold lifted.
SELECT told.id FROM lifecycle_event AS told
WHERE told.id > %(since)s AND told.model = %(model)s AND told.count = 0
AND (told.kind IN ('truncated', 'hold_placed') OR told.kind = 'hold_released' AND EXISTS (
    SELECT FROM jsonb_array_elements_text(told.detail -> 'holds') AS hold (number)
    JOIN lifecycle_event AS placed ON placed.id = hold.number::bigint
    WHERE placed.count = 0 OR placed.id = ANY (%(events)s)))
