-- name: largest
-- The planner's estimate of the rows of the largest partition that can go.
-- params: policy
SELECT coalesce(max(estimate), 0) FROM lifecycle.partitions_v1(%(policy)s) WHERE problem = '' AND due IS NOT NULL
