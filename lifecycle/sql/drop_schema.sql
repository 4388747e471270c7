-- Everything of the package but its tables; also what an uninstall that kept the ledger has left.
DROP SCHEMA IF EXISTS lifecycle CASCADE;
DROP SCHEMA IF EXISTS lifecycle_kept CASCADE
