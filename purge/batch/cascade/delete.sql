-- name: delete
-- Rows that were locked and looked at.
DELETE FROM {table} WHERE {rows}
