-- name: make_table
-- Make a table for rows that somebody wants to read, beside the one that they are from.
CREATE TABLE {table} ({columns}, PRIMARY KEY ({key}))

-- name: mark_table
-- Say of a table that was just made what it is for; `is_made_here` reads it.
COMMENT ON TABLE {table} IS 'made by manage.py archive load'

-- name: is_made_here
-- Whether a table is marked so, and is the own one of this role: nobody else has put a trigger on it, but for
-- whom this role gives such rights on every table it makes.
-- params: table
SELECT EXISTS (
    SELECT FROM pg_class WHERE oid = to_regclass(%(table)s) AND relkind = 'r'
    AND pg_get_userbyid(relowner) = current_user
    AND obj_description(oid, 'pg_class') = 'made by manage.py archive load')

-- name: is_one_of
-- Whether a table is one of some others; their names may have a schema or not.
-- params: table, others
SELECT coalesce(to_regclass(%(table)s) = ANY (
    SELECT to_regclass(other) FROM unnest(%(others)s::text[]) AS other), false)

-- name: is_key
-- Whether no two rows of a table can have the same value in a column.
-- params: table, column
SELECT EXISTS (
    SELECT FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]
    WHERE indrelid = to_regclass(%(table)s) AND indisunique AND indnkeyatts = 1
    AND indpred IS NULL AND attname = %(column)s)

-- name: known_type
-- Whether a text is the name of a type, and nothing else.
-- params: type
SELECT to_regtype(%(type)s) IS NOT NULL
