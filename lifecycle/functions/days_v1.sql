-- How many rows the events between two numbers have ended or brought back, by the day of UTC and the kind of event:
-- `{"2030-01-31": {"purged": 12}}`. What charts are made of, without reading the ledger.
CREATE FUNCTION lifecycle.days_v1(p_first bigint, p_last bigint) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
    SELECT coalesce(jsonb_object_agg(day, kinds), '{}') FROM (
        SELECT day, jsonb_object_agg(kind, rows) AS kinds FROM (
            SELECT to_char(event.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day, event.kind,
                sum(event.count)::bigint AS rows
            FROM @tables@.lifecycle_event AS event
            WHERE event.id >= p_first AND event.id <= p_last
            AND event.kind IN ('archived', 'purged', 'restored', 'updated') AND event.count > 0
            GROUP BY 1, 2) AS one
        GROUP BY day) AS each
$$
