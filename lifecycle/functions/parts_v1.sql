-- The leaves of an event's small tree: what names somebody, each by itself, then its own rows in their order.
CREATE FUNCTION lifecycle.parts_v1(p_event bigint, p_inner bytea, p_outer bytea) RETURNS bytea[]
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT ARRAY(
        SELECT lifecycle.part_v1(p_inner, p_outer, ARRAY[named.part, named.text])
        FROM unnest(ARRAY['cause', 'actor', 'settled', 'detail'],
                    ARRAY[nullif(event.cause, ''), nullif(event.actor, ''), event.settled::text,
                          nullif(event.detail::text, '{}')]) WITH ORDINALITY AS named (part, text, place)
        WHERE named.text IS NOT NULL ORDER BY named.place
    ) || ARRAY(
        SELECT lifecycle.part_v1(p_inner, p_outer, ARRAY['subject', event.model, one.key, one.identity])
        FROM lifecycle.subjects_v1(event) AS one ORDER BY one.place
    )
    FROM @tables@.lifecycle_event AS event WHERE event.id = p_event
$$
