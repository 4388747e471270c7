-- name: comment_of
-- The comment of a database; no row where there is none of this name.
-- params: name
SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %(name)s

-- name: make
CREATE DATABASE {database} TEMPLATE template0

-- name: mark
-- `drop` is for what has this mark.
COMMENT ON DATABASE {database} IS 'made by manage.py lifecycle drill'

-- name: drop
DROP DATABASE IF EXISTS {database} WITH (FORCE)
