-- The version of tables and functions; `version.VERSION` is the one that the code needs. A later
-- migration that changes what code relies on writes the next.
COMMENT ON SCHEMA lifecycle IS 'version 1'
