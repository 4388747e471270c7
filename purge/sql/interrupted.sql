-- Runs whose process has ended without a word: none of theirs is half done.
UPDATE purge_run SET finished_at = clock_timestamp(), error = 'interrupted'
WHERE finished_at IS NULL AND last_batch_at < clock_timestamp() - %(silent)s::interval
RETURNING id
