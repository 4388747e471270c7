-- The planner's estimate of a table's rows, its partitions' included; 0 when it was never analysed.
SELECT coalesce(sum(greatest(reltuples, 0)), 0)::bigint FROM pg_class
WHERE relkind <> 'p' AND oid IN (SELECT relid FROM pg_partition_tree(quote_ident(%(table)s)::regclass)
    UNION SELECT quote_ident(%(table)s)::regclass)
