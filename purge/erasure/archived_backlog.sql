-- name: left
-- By policy: erasures in archives that are open, archives that were rewritten and are still there, the first deadline,
-- whether it is over, whether something did not work, and what. An erasure whose row has not ended yet is not counted,
-- but where nobody would ever look at it.
WITH gone AS (
    SELECT name FROM lifecycle_policy WHERE state = 'removed'
), waits AS (
    SELECT policy, 1 AS erasures, 0 AS archives, due_at, tries, waits_for AS error
    FROM purge_archive_erasure WHERE due_at IS NOT NULL OR tries > 0 OR policy IN (SELECT name FROM gone)
    UNION ALL
    SELECT policy, 0, 1, due_at, tries, error FROM purge_rewrite WHERE state = 'switched' OR tries > 0
)
SELECT policy, sum(erasures), sum(archives), min(due_at), coalesce(bool_or(due_at <= lifecycle.now_v1()), false),
    bool_or(tries > 0) OR policy IN (SELECT name FROM gone),
    CASE WHEN policy IN (SELECT name FROM gone) THEN 'no code declares the policy any more' ELSE coalesce(max(error), '') END
FROM waits GROUP BY policy ORDER BY policy
