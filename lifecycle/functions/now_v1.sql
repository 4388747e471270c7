-- The clock that everything here goes by. Its own function, so that the tests of a host can set it
-- (see `lifecycle.testing`); `migrate` puts this form back in every database that is not a test's.
CREATE OR REPLACE FUNCTION lifecycle.now_v1() RETURNS timestamptz
LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
    SELECT pg_catalog.clock_timestamp()
$$
