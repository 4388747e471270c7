-- name: delete
-- Delete rows that were locked and evaluated.
-- parts: rows
DELETE FROM {table} WHERE {rows}

-- name: is_left
-- Whether a row of the set is still there.
-- parts: rows
SELECT EXISTS (SELECT FROM {table} WHERE {rows})
