-- Every function of a capture trigger in the schema of the site's tables, with its mark.
SELECT proname, obj_description(oid, 'pg_proc') FROM pg_proc
WHERE pronamespace = current_schema()::regnamespace AND proname LIKE 'pgtrigger\_lc\_%'
AND starts_with(obj_description(oid, 'pg_proc'), 'lifecycle ')
