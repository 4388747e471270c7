-- The last TRUNCATE of a table: which rows it took the ledger does not know.
SELECT model, max(id), max(recorded_at) FROM lifecycle_event
WHERE kind = 'truncated' AND recorded_at >= %(since)s GROUP BY 1 ORDER BY 1
