-- A later statement, which sees what a pause has committed: where the reading goes on. One reads at
-- a time, whoever else wants to goes away.
SELECT walk.last_key, walk.why, state.due_sql
FROM lifecycle_backfill AS walk JOIN lifecycle_policy AS state ON state.name = walk.policy
WHERE walk.policy = %(policy)s AND walk.finished_at IS NULL
AND state.state IN ('enabled', 'observe') AND state.fingerprint = %(fingerprint)s
AND (%(hurried)s OR walk.resume_at <= lifecycle.now_v1())
FOR UPDATE OF walk SKIP LOCKED
