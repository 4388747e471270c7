-- name: clear
-- Delete the rows that a run has found, and those of runs that are over, or silent for long.
-- params: run
DELETE FROM purge_resurrected WHERE run = %(run)s OR run NOT IN (
    SELECT id FROM purge_run WHERE finished_at IS NULL
    AND last_batch_at > (SELECT lifecycle.now_v1()) - interval '10 minutes')

-- name: emptied
-- The last TRUNCATE of each table.
-- params: since
SELECT model, max(id), max(recorded_at) FROM lifecycle_event
WHERE kind = 'truncated' AND recorded_at >= %(since)s GROUP BY 1 ORDER BY 1
