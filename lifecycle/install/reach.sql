-- name: elsewhere
-- Tables that have triggers of ours, or that this session takes for those of policies, outside of the
-- ledger's schema: schema, table.
-- params: tables
SELECT nspname, relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE pg_class.oid IN (
    SELECT tgrelid FROM pg_trigger WHERE NOT tgisinternal AND tgname LIKE 'pgtrigger\_lc\_%%'
    AND starts_with(obj_description(tgfoid, 'pg_proc'), 'lifecycle ')
    UNION SELECT to_regclass(written) FROM unnest(%(tables)s::text[]) AS given (written)
) AND lifecycle.elsewhere_v1(pg_class.oid)
ORDER BY 1, 2

-- name: subscribed
-- Tables, or partitions of them, into which a subscription of this database writes: table, subscription. Asked
-- of two catalogues that everybody may read, but for the address.
-- params: tables
SELECT DISTINCT root.relname, subname FROM pg_subscription_rel
JOIN pg_subscription ON pg_subscription.oid = srsubid
JOIN pg_class AS root ON root.oid = coalesce(pg_partition_root(srrelid), srrelid)
WHERE root.oid IN (SELECT to_regclass(written) FROM unnest(%(tables)s::text[]) AS given (written))
ORDER BY 1, 2

-- name: hidden
-- Tables of which row level security hides rows from a role: table, role. Asked of this session's role, and
-- of those that may announce what the engine does.
-- params: names, tables
SELECT given.name, role.rolname
FROM unnest(%(names)s::text[], %(tables)s::text[]) AS given (name, written)
JOIN pg_class AS class ON class.oid = to_regclass(given.written) AND class.relrowsecurity
JOIN pg_roles AS role ON NOT role.rolsuper AND NOT role.rolbypassrls
    AND (class.relforcerowsecurity OR NOT pg_has_role(role.oid, class.relowner, 'USAGE'))
WHERE role.rolname = current_user OR role.oid IN (
    SELECT acl.grantee FROM pg_proc CROSS JOIN LATERAL aclexplode(proacl) AS acl
    WHERE pg_proc.oid = 'lifecycle.announce_v1(jsonb)'::regprocedure AND acl.grantee <> proowner)
ORDER BY 1, 2
