-- name: interrupted
-- Runs whose process has ended without a word: none of theirs is half done.
UPDATE purge_run SET finished_at = lifecycle.now_v1(), error = 'interrupted'
WHERE finished_at IS NULL AND last_batch_at < lifecycle.now_v1() - %(silent)s::interval
RETURNING id
