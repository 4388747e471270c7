-- name: export_ledger
-- Every event as one line of JSON, in order.
SELECT to_jsonb(event)::text FROM lifecycle_event AS event ORDER BY id

-- name: drop_schema
-- Everything of the package but its tables; also what an uninstall that kept the ledger has left.
DROP SCHEMA IF EXISTS lifecycle CASCADE;
DROP SCHEMA IF EXISTS lifecycle_kept CASCADE

-- name: keep_schema
-- What is pending is moved first. The package's functions and views but the guard of the ledger, which stays with the salt under another
-- name: a trigger that comes back with some restored table finds no schema `lifecycle`, and is quiet.
DO $keep$
DECLARE
    each text;
BEGIN
    IF to_regnamespace('lifecycle') IS NULL THEN
        RETURN;
    END IF;
    IF to_regclass('lifecycle_pending') IS NOT NULL THEN
        PERFORM lifecycle.move_pending_v1();
        DROP TABLE lifecycle_pending;
    END IF;
    FOR each IN SELECT oid::regprocedure FROM pg_proc
        WHERE pronamespace = 'lifecycle'::regnamespace AND proname <> 'guard_rows_v1'
    LOOP
        EXECUTE 'DROP FUNCTION ' || each;
    END LOOP;
    FOR each IN SELECT oid::regclass FROM pg_class
        WHERE relnamespace = 'lifecycle'::regnamespace AND relkind = 'v'
    LOOP
        EXECUTE 'DROP VIEW ' || each;  -- they read tables that go
    END LOOP;
    DROP TYPE lifecycle.subjects;
    COMMENT ON SCHEMA lifecycle IS NULL;
    ALTER SCHEMA lifecycle RENAME TO lifecycle_kept;
END $keep$

-- name: drop_tables
DROP TABLE IF EXISTS lifecycle_pending, {tables}

-- name: count_rows
SELECT count(*) FROM {table}
