-- name: locked_keys
-- The keys of rows that are there, in order.
SELECT {key} FROM {table} WHERE {rows} ORDER BY {column}
