-- name: open
-- Requests for erasure that are open, by policy and model: how many, when the first is due, how many are overdue, now.
SELECT policy, model, count(*), min(due_at), count(*) FILTER (WHERE due_at <= now), min(now)
FROM purge_request, (SELECT lifecycle.now_v1() AS now OFFSET 0) AS clock WHERE done_at IS NULL
GROUP BY policy, model ORDER BY policy, model
