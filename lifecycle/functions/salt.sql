-- The ledger's own salt: without it nobody can guess from a hash what the row held. Only the owner
-- of the ledger may read it. Lost, no row that comes back is known again: it goes with the ledger.
-- Beside it what tells a database in use from one whose tables are being filled from a dump: dumps set
-- sequences after all rows. Until then nothing is recorded, for what is written is in the ledger to come.
CREATE TABLE IF NOT EXISTS lifecycle.salt (salt bytea);
INSERT INTO lifecycle.salt SELECT sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))
WHERE NOT EXISTS (SELECT FROM lifecycle.salt);
REVOKE ALL ON lifecycle.salt FROM PUBLIC;
CREATE SEQUENCE IF NOT EXISTS lifecycle.in_use;
GRANT SELECT ON SEQUENCE lifecycle.in_use TO PUBLIC;
SELECT setval('lifecycle.in_use', 1)
