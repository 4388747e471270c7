-- A part of other statements: whether a row of the table is in one of some windows. What is restored
-- or expired by hand is on the agenda by its key.
{matching} AND {moment} >= (SELECT {low} FROM (SELECT min(start) AS start FROM unnest(%(windows)s::timestamptz[]) AS start) AS lc_first)
AND {moment} < (SELECT lifecycle.window_end_v1(max(start), %(unit)s) - %(age)s::interval FROM unnest(%(windows)s::timestamptz[]) AS start)
AND lifecycle.window_v1(lifecycle.finite_v1({moment} + %(age)s::interval), %(unit)s) = ANY (%(windows)s::timestamptz[])
AND {column}::{kind}::text NOT IN (
    SELECT lc_one.key FROM lifecycle_exception AS lc_one
    WHERE lc_one.policy = %(policy)s AND lc_one.kind IN ('restored', 'expired_by_hand'))
