-- Every capture trigger there is: schema and table, trigger, mark of its function.
SELECT nspname, place.relname, tgname, obj_description(tgfoid, 'pg_proc')
FROM pg_trigger JOIN pg_class AS place ON place.oid = tgrelid
JOIN pg_namespace AS home ON home.oid = place.relnamespace
WHERE NOT tgisinternal AND tgname LIKE 'pgtrigger\_lc\_%'
AND starts_with(obj_description(tgfoid, 'pg_proc'), 'lifecycle ')
ORDER BY 1, 2, 3
