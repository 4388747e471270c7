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
