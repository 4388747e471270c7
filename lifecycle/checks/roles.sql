-- name: writers
-- Who may write a table of the ledger beside its owner: table, role ('' for everybody), rights.
-- `attempts` of the agenda is what workers lock entries by.
-- params: tables
SELECT class.relname, CASE WHEN given.grantee = 0 THEN '' ELSE pg_get_userbyid(given.grantee) END,
    string_agg(DISTINCT given.privilege_type, ', ' ORDER BY given.privilege_type)
FROM unnest(%(tables)s::text[]) AS wanted (name)
JOIN pg_class AS class ON class.oid = to_regclass(quote_ident(wanted.name))
CROSS JOIN LATERAL (
    SELECT grantee, privilege_type FROM aclexplode(class.relacl)
    UNION ALL
    SELECT acl.grantee, acl.privilege_type FROM pg_attribute CROSS JOIN LATERAL aclexplode(attacl) AS acl
    WHERE attrelid = class.oid AND NOT (class.relname = 'lifecycle_agenda' AND attname = 'attempts')
) AS given
WHERE given.grantee <> class.relowner AND given.privilege_type IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER')
GROUP BY 1, 2 ORDER BY 1, 2

-- name: open_schemas
-- Schemas of this session's search path in which everybody may make functions.
SELECT nspname FROM pg_namespace
WHERE nspname = ANY (current_schemas(false)) AND has_schema_privilege('public', oid, 'CREATE')
ORDER BY 1

-- name: connected
-- The role of this session: its name, whether it is a superuser or has the rights of the ledger's owner.
-- params: table
SELECT current_user, rolsuper, pg_has_role(current_user, class.relowner, 'USAGE')
FROM pg_roles, pg_class AS class
WHERE rolname = current_user AND class.oid = to_regclass(quote_ident(%(table)s))

-- name: short_sighted
-- The role of this session and the number of replicas, where there are some of which it is not told.
SELECT current_user, count(*) FROM pg_stat_replication
HAVING count(*) > 0 AND NOT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')
