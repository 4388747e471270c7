-- name: version_now
-- The version of the package's tables and functions that is there, NULL where none is; and whether all
-- data has come that a dump had, after which the sequences are set.
SELECT obj_description(to_regnamespace('lifecycle'), 'pg_namespace'), EXISTS (
    SELECT FROM pg_sequences
    WHERE schemaname = 'lifecycle' AND sequencename = 'in_use' AND last_value IS NOT NULL)
