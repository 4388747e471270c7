-- name: retry
-- params: event
SELECT lifecycle.retry_v1(%(event)s)
