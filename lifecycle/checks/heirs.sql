-- name: heirs
-- Tables that inherit, by INHERITS, from tables of these names; a line for each. Partitions are none.
-- params: tables
SELECT parent.relname, heir.inhrelid::regclass::text
FROM unnest(%(tables)s::text[]) AS wanted
JOIN pg_class AS parent ON parent.oid = to_regclass(quote_ident(wanted)) AND parent.relkind = 'r'
JOIN pg_inherits AS heir ON heir.inhparent = parent.oid
ORDER BY 1, 2
