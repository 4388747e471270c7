-- name: version_now
-- The version of the package's tables and functions that is there, NULL where none is; and whether all
-- data has come that a dump had, after which the sequences are set.
SELECT obj_description(to_regnamespace('lifecycle'), 'pg_namespace'), EXISTS (
    SELECT FROM pg_class
    WHERE relname = 'in_use' AND relnamespace = to_regnamespace('lifecycle') AND relkind = 'S'
    AND CASE WHEN has_sequence_privilege(oid, 'SELECT,USAGE') THEN pg_sequence_last_value(oid) END IS NOT NULL)
