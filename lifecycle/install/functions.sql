-- name: bodies
-- The functions of the package that are there: what they say, as whom they run, whether their search path is fixed.
SELECT proname, prosrc, prosecdef, coalesce(array_to_string(proconfig, ' '), '') LIKE '%%search_path=%%'
FROM pg_proc WHERE pronamespace = to_regnamespace('lifecycle')

-- name: schema_of_tables
-- The ledger's schema, quoted; where there is no ledger, that of new tables.
SELECT quote_ident(coalesce(max(nspname::text), current_schema()))
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE pg_class.oid = to_regclass('lifecycle_event')
