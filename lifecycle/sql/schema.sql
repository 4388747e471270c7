-- Package functions have a schema of their own, so that no search path can put others before them.
CREATE SCHEMA lifecycle;
GRANT USAGE ON SCHEMA lifecycle TO PUBLIC
