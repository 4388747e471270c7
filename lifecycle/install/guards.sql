-- name: enable_guard
ALTER TABLE {table} ENABLE TRIGGER {guard}
