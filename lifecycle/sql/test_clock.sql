-- Let the tests of a host set the clock; in a test database only. Taken back by test_clock_off.
CREATE TABLE IF NOT EXISTS lifecycle.test_clock (ahead interval NOT NULL);
GRANT SELECT ON lifecycle.test_clock TO PUBLIC;
CREATE OR REPLACE FUNCTION lifecycle.now_v1() RETURNS timestamptz
LANGUAGE sql VOLATILE AS $$
    SELECT pg_catalog.clock_timestamp()
        + coalesce((SELECT max(ahead) FROM lifecycle.test_clock), interval '0')
$$
