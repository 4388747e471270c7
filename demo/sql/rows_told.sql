-- How many of the story's rows the ledger has events about, by policy and kind, and how many events.
SELECT told.policy, told.kind, count(DISTINCT key), count(DISTINCT told.id)
FROM lifecycle_event AS told, lifecycle.keys_v1(told.id) AS key
WHERE told.id > %(since)s AND told.model || ':' || key = ANY (%(rows)s) AND NOT told.detail ? 'carried'
GROUP BY 1, 2
