-- Where triggers of tables go: on each of them that is there, and on its partitions, however deep;
-- statement triggers of a parent do not see writes addressed to a partition.
SELECT root.relname, nspname, place.relname
FROM pg_class AS root CROSS JOIN LATERAL (
    SELECT root.oid UNION SELECT relid FROM pg_partition_tree(root.oid)) AS below (oid)
JOIN pg_class AS place ON place.oid = below.oid
JOIN pg_namespace AS home ON home.oid = place.relnamespace
WHERE root.relname = ANY (%(tables)s) AND root.relkind IN ('r', 'p')
AND root.relnamespace = current_schema()::regnamespace
