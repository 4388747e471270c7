-- name: attached
-- Every capture trigger there is: schema and table, trigger, mark of its function, when it fires.
SELECT nspname, place.relname, tgname, obj_description(tgfoid, 'pg_proc'), tgenabled::text
FROM pg_trigger JOIN pg_class AS place ON place.oid = tgrelid
JOIN pg_namespace AS home ON home.oid = place.relnamespace
WHERE NOT tgisinternal AND tgname LIKE 'pgtrigger\_lc\_%'
AND starts_with(obj_description(tgfoid, 'pg_proc'), 'lifecycle ')
ORDER BY 1, 2, 3

-- name: places
-- Where triggers of tables go: on each of them that is there, in the schema of the ledger, and on its
-- partitions, however deep;
-- statement triggers of a parent do not see writes addressed to a partition.
-- params: tables
SELECT root.relname, nspname, place.relname
FROM pg_class AS root CROSS JOIN LATERAL (
    SELECT root.oid UNION SELECT relid FROM pg_partition_tree(root.oid)) AS below (oid)
JOIN pg_class AS place ON place.oid = below.oid
JOIN pg_namespace AS home ON home.oid = place.relnamespace
WHERE root.relname = ANY (%(tables)s) AND root.relkind IN ('r', 'p')
AND root.relnamespace = coalesce((SELECT relnamespace FROM pg_class WHERE oid = to_regclass('lifecycle_event')),
    current_schema()::regnamespace)

-- name: attach_trigger
-- A capture trigger on a table or on a partition, which uses its parent's function.
CREATE OR REPLACE TRIGGER {trigger} {moment} {operation} ON {table} {referencing}
FOR EACH STATEMENT EXECUTE FUNCTION {trigger}()

-- name: drop_trigger
DROP TRIGGER IF EXISTS {trigger} ON {table}

-- name: mark_removed
-- Drop the function once no table, and no partition, has a trigger of it.
COMMENT ON FUNCTION {function}() IS 'lifecycle removed'

-- name: drop_function
DROP FUNCTION IF EXISTS {function}()

-- name: capture_functions
-- Every function of a capture trigger in the ledger's schema, with its mark.
SELECT proname, obj_description(oid, 'pg_proc') FROM pg_proc
WHERE pronamespace = coalesce((SELECT relnamespace FROM pg_class WHERE oid = to_regclass('lifecycle_event')),
    current_schema()::regnamespace) AND proname LIKE 'pgtrigger\_lc\_%'
AND starts_with(obj_description(oid, 'pg_proc'), 'lifecycle ')

-- name: as_made
-- The functions of capture triggers that run as their owner, by today's search path, and that nobody
-- else may attach: name, body. See `upsert_trigger` of `lifecycle.operations`.
SELECT proname, prosrc
FROM pg_proc, (
    SELECT format('search_path=pg_catalog, %spg_temp',
        string_agg(quote_ident(name) || ', ', '' ORDER BY place)) AS path
    FROM unnest(current_schemas(false)) WITH ORDINALITY AS path (name, place) WHERE name NOT LIKE 'pg\_%'
) AS today
WHERE pronamespace = coalesce((SELECT relnamespace FROM pg_class WHERE oid = to_regclass('lifecycle_event')),
    current_schema()::regnamespace) AND proname LIKE 'pgtrigger\_lc\_%'
AND prosecdef AND path = ANY (proconfig)
AND NOT has_function_privilege('public', oid, 'EXECUTE')

-- name: triggers_on
-- Triggers on tables and on their partitions: table, name, when it fires, mark of its function.
-- params: tables
SELECT relname, tgname, tgenabled::text, obj_description(tgfoid, 'pg_proc')
FROM pg_trigger AS trigger JOIN pg_class ON pg_class.oid = tgrelid
WHERE NOT tgisinternal AND tgrelid IN (
    SELECT named FROM unnest(%(tables)s::text[]) AS given (name), CAST(quote_ident(name) AS regclass) AS named
    UNION SELECT relid FROM unnest(%(tables)s::text[]) AS given (name), pg_partition_tree(quote_ident(name)::regclass))
