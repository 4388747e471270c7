-- name: any_tie
-- Whether PostgreSQL itself deletes or changes rows that refer to one of the tables. Asked by every
-- batch, so by the index of the triggers that do it.
-- params: tables
SELECT EXISTS (
    SELECT FROM pg_trigger WHERE tgrelid = ANY (ARRAY(
        SELECT to_regclass(name)::oid FROM unnest(%(tables)s::text[]) AS given (name)
        UNION ALL
        SELECT relid FROM unnest(%(tables)s::text[]) AS given (name),
            pg_partition_tree(to_regclass(name)))
    ) AND tgfoid IN ('pg_catalog."RI_FKey_cascade_del"'::regproc,
        'pg_catalog."RI_FKey_setnull_del"'::regproc, 'pg_catalog."RI_FKey_setdefault_del"'::regproc)
)

-- name: ties
-- The foreign keys by which PostgreSQL itself deletes or changes rows that refer to one of the
-- tables, or to a row that goes along by such a key. A partition's own count as its table's; a key
-- that is switched off does nothing.
-- params: tables
WITH RECURSIVE reached (oid) AS (
    SELECT to_regclass(name)::oid FROM unnest(%(tables)s::text[]) AS given (name)
    UNION
    SELECT coalesce(pg_partition_root(conrelid)::oid, conrelid)
    FROM reached CROSS JOIN LATERAL (
        SELECT reached.oid UNION SELECT relid FROM pg_partition_tree(reached.oid)) AS place (oid)
    JOIN pg_trigger ON tgrelid = place.oid AND tgtype & 8 <> 0 AND tgenabled IN ('O', 'A')
    JOIN pg_constraint AS tie ON tie.oid = tgconstraint AND confrelid = tgrelid
    WHERE contype = 'f' AND conparentid = 0 AND confdeltype = 'c'
), named (oid, name) AS (
    SELECT pg_class.oid, CASE WHEN pg_table_is_visible(pg_class.oid) THEN relname::text
        ELSE format('%%s"."%%s', nspname, relname) END
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
)
SELECT conname, lower.name, columns.names, upper.name, keys.names, confdeltype::text,
    has_table_privilege(lower.oid, 'SELECT')
    AND has_table_privilege(lower.oid, 'UPDATE')
FROM reached CROSS JOIN LATERAL (
    SELECT reached.oid UNION SELECT relid FROM pg_partition_tree(reached.oid)) AS place (oid)
JOIN pg_trigger ON tgrelid = place.oid AND tgtype & 8 <> 0 AND tgenabled IN ('O', 'A')
JOIN pg_constraint AS tie ON tie.oid = tgconstraint AND confrelid = tgrelid
JOIN named AS lower ON lower.oid = coalesce(pg_partition_root(conrelid)::oid, conrelid)
JOIN named AS upper ON upper.oid = reached.oid
CROSS JOIN LATERAL (
    SELECT array_agg(attname::text ORDER BY place) FROM unnest(conkey) WITH ORDINALITY AS one (num, place)
    JOIN pg_attribute ON attrelid = conrelid AND attnum = num) AS columns (names)
CROSS JOIN LATERAL (
    SELECT array_agg(attname::text ORDER BY place) FROM unnest(confkey) WITH ORDINALITY AS one (num, place)
    JOIN pg_attribute ON attrelid = confrelid AND attnum = num) AS keys (names)
WHERE contype = 'f' AND conparentid = 0 AND confdeltype IN ('c', 'n', 'd')
ORDER BY tie.oid, reached.oid
