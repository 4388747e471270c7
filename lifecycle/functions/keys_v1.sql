-- The keys of an event as text, of its own set or of the event it is based on.
CREATE FUNCTION lifecycle.keys_v1(event_id bigint) RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 100 AS $$
    SELECT key FROM @tables@.lifecycle_event event
    JOIN @tables@.lifecycle_event owner ON owner.id = coalesce(event.basis, event.id)
    CROSS JOIN LATERAL (
        SELECT k::text FROM unnest(owner.subjects_bigint) k
        UNION ALL SELECT k::text FROM unnest(owner.subjects_uuid) k
        UNION ALL SELECT k FROM unnest(owner.subjects_text) k
        UNION ALL SELECT k::text
        FROM generate_series(lower(owner.subjects_range), upper(owner.subjects_range) - 1) k
    ) AS one (key)
    WHERE event.id = event_id
$$
