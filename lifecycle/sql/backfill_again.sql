-- Read tables again from their beginning: those that were read to the end longer ago than `ago`, or
-- that were written to meanwhile by statements whose keys could not be read.
UPDATE lifecycle_backfill AS walk SET why = %(why)s, last_key = NULL, read = 0, listed = 0, failed = 0,
    began_at = lifecycle.now_v1(), resume_at = lifecycle.now_v1(), finished_at = NULL
WHERE policy = ANY (%(policies)s) AND CASE %(why)s
    WHEN 'failed' THEN finished_at IS NOT NULL AND EXISTS (
        SELECT FROM lifecycle_event AS told WHERE told.kind = 'capture_failed' AND told.count = 0
        AND told.policy = walk.policy AND told.recorded_at > walk.began_at)
    ELSE finished_at <= lifecycle.now_v1() - %(ago)s::interval OR %(why)s = 'asked' AND why = 'reconcile'
    END
RETURNING policy
