-- name: lock_log
-- params: name
SELECT lifecycle.take_lock_v1(%(name)s)

-- name: written
-- How many events above a number say that the site has written or taken rows.
-- params: top
SELECT count(*) FROM lifecycle_event
WHERE id > %(top)s AND kind IN ('expiry_scheduled', 'capture_failed', 'deleted', 'truncated', 'loaded')
AND NOT detail ? 'relisted' AND cause <> 'replay'
