-- name: last_runs
-- The last pass of each policy, and of the files, that found something, as the worker's own table has it.
SELECT state.name, run.started_at, run.error
FROM (SELECT name FROM lifecycle_policy UNION ALL SELECT '') AS state CROSS JOIN LATERAL (
    SELECT started_at, error FROM purge_run WHERE policy = state.name
    ORDER BY started_at DESC LIMIT 1) AS run

-- name: unarchived
-- Policies whose rows wait for an archive that could not be made, and why.
SELECT archive.policy, max(archive.error) FROM purge_archive AS archive
WHERE archive.state IN ('chosen', 'written') AND archive.attempts > 0 AND EXISTS (
    SELECT FROM ONLY lifecycle_agenda AS entry WHERE entry.policy = archive.policy
    AND entry.due_at < (SELECT lifecycle.now_v1()) + interval '1 hour')
GROUP BY archive.policy
