-- The agenda entries that list one row.
SELECT entry.event_id
FROM lifecycle_agenda AS entry
JOIN lifecycle_event AS told ON told.id = entry.event_id
JOIN lifecycle_event AS owner ON owner.id = coalesce(told.basis, told.id)
WHERE entry.policy IN (SELECT name FROM lifecycle_policy WHERE model = %(model)s) AND {owner_has}
ORDER BY entry.due_at
