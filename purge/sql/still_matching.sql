-- Rows just updated that the policy would update again.
SELECT count(*) FROM ({state_sql}) AS state
WHERE {rows} AND matches AND lifecycle.finite_v1(due::timestamptz) <= %(now)s
