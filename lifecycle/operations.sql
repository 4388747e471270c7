-- name: upsert_trigger
-- The function of a capture trigger, and its mark. It runs as its owner, looks names up only where they
-- were found as it was made, temporary ones last, and nobody else may put it on a table. None of this
-- asks for a lock on the table. The trigger is put on it here only where this transaction has the table
-- to itself anyway, as it has one that it made; otherwise after the migration, one table a transaction,
-- by `lifecycle.install.triggers`.
CREATE OR REPLACE FUNCTION {pgid}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET enable_nestloop = off SET jit = off
SET standard_conforming_strings = on AS $lifecycle$
{func}
$lifecycle$;
REVOKE EXECUTE ON FUNCTION {pgid}() FROM PUBLIC;
COMMENT ON FUNCTION {pgid}() IS 'lifecycle {hash}';
DO $lifecycle_path$
BEGIN
    EXECUTE (SELECT pg_catalog.format('ALTER FUNCTION {pgid}() SET search_path = pg_catalog, %spg_temp',
            pg_catalog.string_agg(pg_catalog.quote_ident(name) || ', ', '' ORDER BY place))
        FROM pg_catalog.unnest(pg_catalog.current_schemas(false)) WITH ORDINALITY AS path (name, place)
        WHERE name NOT LIKE 'pg\_%');
END $lifecycle_path$;
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
