-- name: row_state
-- One row as a policy sees it now: whether it matches, when it ends, whether it is kept, its grace.
-- Of a row expired by hand, the conditions do not count that were named then.
-- params: resolution, key
SELECT matches, lifecycle.tick_v1(lifecycle.finite_v1(due::timestamptz), %(resolution)s),
    {keep}, make_interval(secs => extract(epoch FROM grace)), lifecycle.now_v1(), {notice}
FROM ({state_sql}) AS state WHERE key = {key}
