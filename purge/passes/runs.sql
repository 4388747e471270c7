-- name: interrupted
-- Close runs whose process is gone: none of theirs is half done.
-- params: silent
UPDATE purge_run SET finished_at = lifecycle.now_v1(), error = 'interrupted'
WHERE finished_at IS NULL AND last_batch_at < (SELECT lifecycle.now_v1()) - %(silent)s::interval
RETURNING id

-- name: halt
-- Stop a policy that acts; a person resumes it. The lock makes a second worker see the first's halt.
-- params: policy, run, cause
SELECT lifecycle.write_v1('halted', name, model, NULL, 0, NULL, NULL, %(run)s::bigint,
    jsonb_build_object('state', 'halted', 'cause', %(cause)s::text), NULL)
FROM lifecycle.lock_policies_v1(%(policy)s::text) AS stored WHERE state = 'enabled'

-- name: end_alerts
-- A policy halts anew: its halts from before are over.
-- params: policy
UPDATE purge_alert SET ended_at = lifecycle.now_v1()
WHERE ended_at IS NULL AND kind = 'halted' AND policy = %(policy)s
