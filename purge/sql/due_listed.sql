-- How many rows the due entries of a policy list, at most.
SELECT coalesce(sum(count), 0)::bigint FROM lifecycle_agenda
WHERE policy = %(policy)s AND due_at <= (SELECT lifecycle.now_v1())
