-- The events about one row in one piece of the ledger, also those that share an earlier event's set.
SELECT told.id FROM lifecycle_event AS told
WHERE told.id < %(before)s AND told.id >= %(from)s AND told.model = %(model)s AND told.count > 0
AND CASE WHEN told.basis IS NULL THEN {told_has}
    ELSE (SELECT {owner_has} FROM lifecycle_event AS owner WHERE owner.id = told.basis) END
ORDER BY told.id DESC
