-- name: answer
-- params: token
DELETE FROM purge_delivery WHERE token = %(token)s::uuid RETURNING id
