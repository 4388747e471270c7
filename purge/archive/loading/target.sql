-- name: make_table
-- A table for rows that are to be looked at, beside the one that they are from.
CREATE TABLE IF NOT EXISTS {table} ({columns}, PRIMARY KEY ({key}))

-- name: is_one_of
-- Whether a table is one of some others; their names may have a schema or not.
SELECT coalesce(to_regclass(%(table)s) = ANY (
    SELECT to_regclass(other) FROM unnest(%(others)s::text[]) AS other), false)

-- name: is_key
-- Whether no two rows of a table can have the same value in a column.
SELECT EXISTS (
    SELECT FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]
    WHERE indrelid = to_regclass(%(table)s) AND indisunique AND indnkeyatts = 1
    AND indpred IS NULL AND attname = %(column)s)

-- name: known_type
-- Whether a text is the name of a type, and nothing else.
SELECT to_regtype(%(type)s) IS NOT NULL
