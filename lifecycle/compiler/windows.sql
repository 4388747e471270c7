-- name: window_within
-- A part of other statements: whether a row of the table is in one of some windows. What is restored
-- or expired by hand is on the agenda by its key. The bounds are constants, so that the planner knows
-- how many rows are between them.
-- params: last_window, unit, age, gaps, windows, policy
{matching} AND {moment} >= {low}
AND {moment} < lifecycle.window_end_v1(%(last_window)s::timestamptz, %(unit)s) - %(age)s::interval
AND (NOT %(gaps)s OR lifecycle.window_v1(lifecycle.finite_v1({moment} + %(age)s::interval), %(unit)s)
    = ANY (%(windows)s::timestamptz[]))
AND NOT {excepted}
