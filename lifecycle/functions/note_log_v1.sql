-- Note how far a log is shipped, or what was found of it: the fields that are given, of no other name.
CREATE FUNCTION lifecycle.note_log_v1(p_log int, p_fields jsonb, p_edge bytea DEFAULT NULL) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    UPDATE @tables@.lifecycle_log SET
        shipping = CASE WHEN p_fields ? 'shipping' THEN (p_fields ->> 'shipping')::bigint ELSE shipping END,
        shipped = coalesce((p_fields ->> 'shipped')::bigint, shipped),
        shipped_at = CASE WHEN p_fields ? 'shipped' THEN lifecycle.now_v1() ELSE shipped_at END,
        checkpoint = coalesce(p_fields ->> 'checkpoint', checkpoint),
        witnessed = coalesce(p_fields -> 'witnessed', witnessed), alarm = coalesce(p_fields -> 'alarm', alarm),
        farewell = coalesce(p_fields ->> 'farewell', farewell),
        edge = coalesce(p_edge, edge)
    WHERE incarnation = p_log
$$
