-- Every partition below a table, however deep, by its bare name.
SELECT relname FROM pg_partition_tree(quote_ident(%(table)s)::regclass)
JOIN pg_class ON pg_class.oid = relid WHERE level > 0
