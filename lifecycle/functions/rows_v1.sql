-- An event's own rows as its record has them: key and identity of each, one after the other.
CREATE FUNCTION lifecycle.rows_v1(p_event bigint) RETURNS text[]
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT ARRAY(
        SELECT said.text FROM lifecycle.subjects_v1(event) AS one,
            LATERAL (VALUES (1, one.key), (2, one.identity)) AS said (part, text)
        ORDER BY one.place, said.part)
    FROM @tables@.lifecycle_event AS event WHERE event.id = p_event
$$
