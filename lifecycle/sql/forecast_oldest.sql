-- The row of a policy that is past its end for the longest time, or comes to it first.
SELECT key::text, lifecycle.finite_v1(due::timestamptz) AS due FROM ({due_sql}) AS state
WHERE due IS NOT NULL ORDER BY state.due LIMIT 1
