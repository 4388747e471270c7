-- name: granted
-- Roles beside the owner that may read the ledger: what each is for, and its name. A worker writes how far
-- a table has been read, a site reads which migrations have run, a reader does neither.
SELECT CASE WHEN has_table_privilege(given.grantee, 'lifecycle_backfill', 'UPDATE') THEN 'worker'
            WHEN has_table_privilege(given.grantee, 'django_migrations', 'SELECT') THEN 'site'
            ELSE 'reader' END, pg_get_userbyid(given.grantee)
FROM pg_class AS ledger CROSS JOIN LATERAL aclexplode(ledger.relacl) AS given
WHERE ledger.oid = to_regclass('lifecycle_event') AND given.privilege_type = 'SELECT'
AND given.grantee NOT IN (0, ledger.relowner)
ORDER BY 2
