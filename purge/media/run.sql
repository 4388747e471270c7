-- name: due
-- Whether media are due, and not everything is paused.
SELECT EXISTS (SELECT FROM lifecycle_agenda WHERE policy = ''
    AND due_at <= (SELECT lifecycle.now_v1()) AND due_at >= %(since)s)
AND NOT lifecycle.all_paused_v1()
