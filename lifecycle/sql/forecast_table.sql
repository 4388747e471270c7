-- The rows of a policy as its table has them now: that match, that have an end, that are past it, and
-- of those past it the ones that `keep_while` keeps.
SELECT count(*) FILTER (WHERE matches), count(due), count(*) FILTER (WHERE due <= %(now)s),
    count(*) FILTER (WHERE CASE WHEN due <= %(now)s THEN keep END)
FROM (SELECT matches, lifecycle.finite_v1(due::timestamptz) AS due, keep
      FROM ({state_sql}) AS state OFFSET 0) AS state
