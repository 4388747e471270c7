-- A time as the canonical form of a log's entries has it: whole microseconds since 1970, UTC, as decimal text.
CREATE FUNCTION lifecycle.micros_v1(p_time timestamptz) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN pg_catalog.isfinite(p_time)
                THEN CAST(pg_catalog.trunc(EXTRACT(epoch FROM p_time) * 1000000) AS text)
                ELSE CAST(p_time AS text) END
$$
