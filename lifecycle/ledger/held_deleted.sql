-- name: held_deleted
-- Held rows that the site itself has deleted, the latest first.
SELECT hold, policy, model, key, rows, event, at, actor FROM lifecycle.held_deleted_v1()
ORDER BY event DESC, hold, key
