-- name: groups
-- What was found, by the ending that is to be repeated: one kind of statement each.
-- params: run
SELECT model, kind, policy, names, updates FROM purge_resurrected
WHERE run = %(run)s GROUP BY 1, 2, 3, 4, 5 ORDER BY updates <> '', 1, 2, 3, 4
