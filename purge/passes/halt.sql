-- name: halt
-- Stop a policy that acts; a person resumes it. The lock makes a second worker see the first's halt.
WITH acting AS MATERIALIZED (
    SELECT name, model FROM lifecycle_policy
    WHERE name = %(policy)s AND state = 'enabled' FOR UPDATE
)
SELECT lifecycle.write_v1('halted', name, model, NULL, 0, NULL, NULL, %(run)s::bigint,
    jsonb_build_object('state', 'halted', 'cause', %(cause)s::text), NULL)
FROM acting

-- name: alert_again
-- A policy halts anew: its halts from before are over.
UPDATE purge_alert SET ended_at = lifecycle.now_v1()
WHERE ended_at IS NULL AND kind = 'halted' AND policy = %(policy)s
