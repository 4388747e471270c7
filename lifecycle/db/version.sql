-- name: version_now
-- The version of the package's tables and functions that is there, NULL where none is; and whether all
-- data has come that a dump had, after which the sequences are set; and which of the package's tables the session
-- finds among its temporary ones.
-- params: tables
SELECT obj_description(to_regnamespace('lifecycle'), 'pg_namespace'), EXISTS (
    SELECT FROM pg_class
    WHERE relname = 'in_use' AND relnamespace = to_regnamespace('lifecycle') AND relkind = 'S'
    AND CASE WHEN has_sequence_privilege(oid, 'SELECT,USAGE') THEN pg_sequence_last_value(oid) END IS NOT NULL), ARRAY(
    SELECT relname::text FROM pg_class
    WHERE relnamespace = pg_my_temp_schema() AND relname = ANY (%(tables)s) AND pg_table_is_visible(oid) ORDER BY 1)
