-- name: gather
-- params: most
SELECT lifecycle.gather_pending_v1(%(most)s)
