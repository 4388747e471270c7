-- name: replay_clear
-- Forget what replays have found whose run is over, or silent for long.
DELETE FROM purge_resurrected WHERE run = %(run)s OR run NOT IN (
    SELECT id FROM purge_run WHERE finished_at IS NULL
    AND last_batch_at > lifecycle.now_v1() - interval '10 minutes')

-- name: replay_emptied
-- The last TRUNCATE of a table: which rows it took the ledger does not know.
SELECT model, max(id), max(recorded_at) FROM lifecycle_event
WHERE kind = 'truncated' AND recorded_at >= %(since)s GROUP BY 1 ORDER BY 1
