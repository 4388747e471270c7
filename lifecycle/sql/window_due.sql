-- The windows of a policy that are due.
SELECT DISTINCT to_char(window_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"') FROM lifecycle_agenda
WHERE policy = %(policy)s AND window_at IS NOT NULL AND due_at <= (SELECT lifecycle.now_v1()) ORDER BY 1
