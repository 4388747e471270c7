-- Forget what replays have found whose run is over, or silent for long.
DELETE FROM purge_returned WHERE run = %(run)s OR run NOT IN (
    SELECT id FROM purge_run WHERE finished_at IS NULL
    AND last_batch_at > lifecycle.now_v1() - interval '10 minutes')
