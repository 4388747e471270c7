-- The policies whose tables are to be read, and may be now, with what the database goes by.
SELECT walk.policy, state.fingerprint
FROM lifecycle_backfill AS walk JOIN lifecycle_policy AS state ON state.name = walk.policy
WHERE walk.finished_at IS NULL AND state.state IN ('enabled', 'observe')
AND (%(hurried)s OR walk.resume_at <= lifecycle.now_v1())
ORDER BY 1
