-- A due time rounded up to a policy's resolution: what the agenda lists.
-- STABLE, for a function that is declared safer than its parts is called for each row instead of
-- being written into the query.
CREATE FUNCTION lifecycle.tick_v1(moment timestamptz, resolution interval) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT date_bin(resolution, moment + resolution - interval '1 microsecond',
                    timestamptz '0001-01-01 00:00:00+00')
$$
