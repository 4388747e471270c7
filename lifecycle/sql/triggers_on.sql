-- Triggers on a table and on its partitions: table, name, when it fires, mark of its function.
SELECT relname, tgname, tgenabled::text, obj_description(tgfoid, 'pg_proc')
FROM pg_trigger AS trigger JOIN pg_class ON pg_class.oid = tgrelid
WHERE NOT tgisinternal AND tgrelid IN (
    SELECT relid FROM pg_partition_tree(quote_ident(%(table)s)::regclass)
    UNION SELECT quote_ident(%(table)s)::regclass)
