-- name: left
-- By policy: erasures in archives that are open, archives that were rewritten and are still there, the first deadline,
-- whether it is over, whether something did not work, and what. An erasure whose row has not ended yet is not counted.
WITH waits AS (
    SELECT policy, 1 AS erasures, 0 AS archives, due_at, tries, waits_for AS error
    FROM purge_archive_erasure WHERE due_at IS NOT NULL OR tries > 0
    UNION ALL
    SELECT policy, 0, 1, due_at, tries, error FROM purge_rewrite WHERE state = 'switched'
)
SELECT policy, sum(erasures), sum(archives), min(due_at), coalesce(bool_or(due_at <= lifecycle.now_v1()), false),
    bool_or(tries > 0), coalesce(max(error), '')
FROM waits GROUP BY policy ORDER BY policy
