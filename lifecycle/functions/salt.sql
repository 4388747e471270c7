-- The ledger's own salt: without it nobody can guess from a hash what the row held. Only the owner
-- of the ledger may read it. Lost, no row that comes back is known again: it goes with the ledger.
-- Beside it what tells a database in use from one whose tables are being filled from a dump: dumps set
-- sequences after all rows. Until then nothing is recorded, for what is written is in the ledger to come.
CREATE TABLE IF NOT EXISTS lifecycle.salt (salt bytea);
INSERT INTO lifecycle.salt SELECT sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))
WHERE NOT EXISTS (SELECT FROM lifecycle.salt);
REVOKE ALL ON lifecycle.salt FROM PUBLIC;
CREATE SEQUENCE IF NOT EXISTS lifecycle.in_use;
-- Both the ledger and its salt are marked with the salt's hash; anybody may read the marks. A ledger that
-- has begun keeps its own, and so tells a salt that it did not come with.
DO $mark$
DECLARE
    mark text := (SELECT 'salt ' || encode(substr(sha256('lifecycle.mark '::bytea || salt), 1, 8), 'hex') FROM lifecycle.salt);
    ledger regclass := to_regclass('lifecycle_event');
    has_begun boolean;
BEGIN
    EXECUTE format('COMMENT ON TABLE lifecycle.salt IS %L', mark);
    IF ledger IS NULL OR obj_description(ledger, 'pg_class') = mark THEN
        RETURN;
    END IF;
    EXECUTE format('SELECT EXISTS (SELECT FROM %s)', ledger) INTO has_begun;
    IF NOT has_begun OR obj_description(ledger, 'pg_class') IS NULL THEN
        EXECUTE format('COMMENT ON TABLE %s IS %L', ledger, mark);
    END IF;
END $mark$;
GRANT SELECT ON SEQUENCE lifecycle.in_use TO PUBLIC;
SELECT setval('lifecycle.in_use', 1)
