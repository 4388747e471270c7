-- name: granted
-- Roles beside the owner that may read the ledger: what each is for, and its name. A worker writes how far
-- a table has been read; a site reads which migrations have run, and writes rows of its own; an officer writes plans beside. Whoever may only
-- read, be it every table, is a reader.
-- params: tables, plans
SELECT CASE WHEN has_table_privilege(given.grantee, 'lifecycle_backfill', 'UPDATE') THEN 'worker'
            WHEN has_table_privilege(given.grantee, 'django_migrations', 'SELECT') AND EXISTS (
                SELECT FROM unnest(%(tables)s::text[]) AS own (name)
                WHERE has_table_privilege(given.grantee, own.name, 'INSERT')
                AND has_table_privilege(given.grantee, own.name, 'UPDATE')
                AND has_table_privilege(given.grantee, own.name, 'DELETE'))
                THEN CASE WHEN has_table_privilege(given.grantee, to_regclass(%(plans)s), 'INSERT')
                     THEN 'officer' ELSE 'site' END
            ELSE 'reader' END, pg_get_userbyid(given.grantee)
FROM pg_class AS ledger CROSS JOIN LATERAL aclexplode(ledger.relacl) AS given
WHERE ledger.oid = to_regclass('lifecycle_event') AND given.privilege_type = 'SELECT'
AND given.grantee NOT IN (0, ledger.relowner)
ORDER BY 2
