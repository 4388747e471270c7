-- name: share_locks
-- The locks of policies, shared to the end of the transaction, in one order.
-- params: policies
SELECT lifecycle.share_lock_v1(name) FROM unnest(%(policies)s::text[]) AS name ORDER BY name
