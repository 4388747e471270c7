-- A time as the canonical form of a log's entries has it: whole microseconds since 1970, UTC, as decimal text. From then
-- to 2038 a double holds what that takes, and costs a fourth of a numeric.
CREATE FUNCTION lifecycle.micros_v1(p_time timestamptz) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN p_time >= timestamptz '1970-01-01 00:00:00+00' AND p_time < timestamptz '2038-01-01 00:00:00+00'
                THEN CAST(CAST(pg_catalog.date_part('epoch', p_time) * 1000000 AS bigint) AS text)
                WHEN pg_catalog.isfinite(p_time)
                THEN CAST(pg_catalog.trunc(EXTRACT(epoch FROM p_time) * 1000000) AS text)
                ELSE CAST(p_time AS text) END
$$
