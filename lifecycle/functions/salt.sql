-- The ledger's own salt: without it nobody can guess from a hash what the row held. Only the owner
-- of the ledger may read it. Lost, no row that comes back is known again: it goes with the ledger.
CREATE TABLE IF NOT EXISTS lifecycle.salt AS
SELECT sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())) AS salt;
REVOKE ALL ON lifecycle.salt FROM PUBLIC
