-- What was found, by the ending that is to be repeated: one kind of statement each.
SELECT found.model, told.kind, told.policy, found.names, found.updates, count(*)
FROM purge_returned AS found JOIN lifecycle_event AS told ON told.id = found.event
WHERE found.run = %(run)s GROUP BY 1, 2, 3, 4, 5 ORDER BY found.updates <> '', 1, 2, 3, 4
