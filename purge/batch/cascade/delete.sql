-- name: delete
-- Delete rows that were locked and evaluated.
-- parts: rows
DELETE FROM {table} WHERE {rows}
