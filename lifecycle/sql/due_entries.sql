-- How many rows the due entries of a policy list at most; tombstoned ones were counted before.
SELECT coalesce(sum(count), 0)::bigint FROM lifecycle_agenda
WHERE policy = %(policy)s AND due_at <= (SELECT lifecycle.now_v1()) AND tombstone IS NULL AND window_at IS NULL
