-- name: last_runs
-- The last pass of each policy that found something, as the worker's own table has it.
SELECT state.name, run.started_at, run.error
FROM lifecycle_policy AS state CROSS JOIN LATERAL (
    SELECT started_at, error FROM purge_run WHERE policy = state.name
    ORDER BY started_at DESC LIMIT 1) AS run
