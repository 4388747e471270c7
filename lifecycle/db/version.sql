-- name: version_now
-- The version of the package's tables and functions that is there; NULL where none is.
SELECT obj_description(to_regnamespace('lifecycle'), 'pg_namespace')
