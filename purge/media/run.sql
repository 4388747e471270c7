-- name: due
-- Whether media are due, and not everything is paused.
SELECT EXISTS (SELECT FROM lifecycle_agenda WHERE policy = ''
    AND due_at <= (SELECT lifecycle.now_v1()) AND due_at >= %(since)s)
AND (EXISTS (SELECT FROM lifecycle_policy WHERE state = 'enabled')
    OR NOT EXISTS (SELECT FROM lifecycle_policy WHERE state = 'paused'))
