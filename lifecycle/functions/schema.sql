-- Package functions have a schema of their own, so that no search path can put others before them.
-- Where an uninstall has kept the ledger, its guard and its salt are there.
DO $schema$
BEGIN
    IF to_regnamespace('lifecycle_kept') IS NULL THEN
        CREATE SCHEMA lifecycle;
    ELSE
        ALTER SCHEMA lifecycle_kept RENAME TO lifecycle;
    END IF;
END $schema$;
GRANT USAGE ON SCHEMA lifecycle TO PUBLIC
