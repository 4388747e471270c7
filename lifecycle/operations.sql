-- name: upsert_trigger
-- The function of a capture trigger, and its mark. Neither asks for a lock on the table. The
-- trigger is put on it here only where this transaction has the table to itself anyway, as it has
-- one that it made; otherwise after the migration, one table a transaction, by `installing`.
CREATE OR REPLACE FUNCTION {pgid}() RETURNS trigger LANGUAGE plpgsql
SET timezone = 'UTC' SET enable_nestloop = off AS $lifecycle$
{func}
$lifecycle$;
COMMENT ON FUNCTION {pgid}() IS 'lifecycle {hash}';
DO $lifecycle_attach$
BEGIN
    IF to_regnamespace('lifecycle') IS NOT NULL
        AND EXISTS (SELECT FROM pg_locks WHERE pid = pg_backend_pid() AND granted
               AND mode = 'AccessExclusiveLock'
               AND relation = to_regclass($lifecycle_table${table}$lifecycle_table$)) THEN
        CREATE OR REPLACE TRIGGER {pgid} {when} {operation} ON {table} {referencing}
        FOR EACH STATEMENT EXECUTE FUNCTION {pgid}();
    END IF;
END $lifecycle_attach$;

-- name: remove_trigger
-- Mark a capture trigger's function as removed. It goes on recording until its triggers are
-- dropped: here where this transaction has the table to itself anyway, else after the migration.
DO $lifecycle_detach$
BEGIN
    IF to_regproc('{pgid}') IS NULL THEN
        RETURN;
    END IF;
    COMMENT ON FUNCTION {pgid}() IS 'lifecycle removed';
    -- Without the package nobody comes after the migration.
    IF to_regnamespace('lifecycle') IS NULL
        OR EXISTS (SELECT FROM pg_locks WHERE pid = pg_backend_pid() AND granted
               AND mode = 'AccessExclusiveLock'
               AND relation = to_regclass($lifecycle_table${table}$lifecycle_table$)) THEN
        DROP TRIGGER IF EXISTS {pgid} ON {table};
    END IF;
END $lifecycle_detach$;
