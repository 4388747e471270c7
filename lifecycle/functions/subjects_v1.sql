-- An event's own rows in their order: key as text, identity in hexadecimal.
CREATE FUNCTION lifecycle.subjects_v1(event @tables@.lifecycle_event)
RETURNS TABLE (place bigint, key text, identity text)
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT row_number() OVER (), one.key,
        encode(substr(event.identities, (8 * (row_number() OVER () - 1) + 1)::int, 8), 'hex')
    FROM (
        SELECT k::text FROM unnest(event.subjects_bigint) AS k
        UNION ALL SELECT k::text FROM unnest(event.subjects_uuid) AS k
        UNION ALL SELECT k FROM unnest(event.subjects_text) AS k
        UNION ALL SELECT k::text
        FROM generate_series(lower(event.subjects_range), upper(event.subjects_range) - 1) AS k
    ) AS one (key)
$$
