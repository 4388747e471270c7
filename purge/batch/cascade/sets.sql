-- name: locked_array
-- The keys of rows that are there, as one array.
-- parts: rows
SELECT coalesce(array_agg({column} ORDER BY {column})::text, '{{}}') FROM {table} WHERE {rows}
