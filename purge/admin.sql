-- name: still_due
-- Entries and rows that are due of a policy, no further than so many entries.
-- params: policy, most
SELECT count(*), coalesce(sum(count), 0)::bigint
FROM (SELECT count FROM lifecycle_agenda WHERE policy = %(policy)s AND due_at <= (SELECT lifecycle.now_v1())
      ORDER BY due_at LIMIT %(most)s) AS due
