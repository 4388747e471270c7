-- Events as text, in the order in which they are given: what their entries are made of outside of the database.
CREATE FUNCTION lifecycle.records_v1(p_events bigint[]) RETURNS TABLE (place bigint, record jsonb)
LANGUAGE sql STABLE AS $$
    SELECT wanted.place, jsonb_build_object(
        'id', event.id::text, 'kind', event.kind, 'policy', event.policy, 'model', event.model,
        'count', event.count::text, 'basis', event.basis::text, 'due_at', lifecycle.micros_v1(event.due_at),
        'recorded_at', lifecycle.micros_v1(event.recorded_at), 'run', event.run::text, 'cause', event.cause,
        'actor', event.actor, 'settled', event.settled::text, 'detail', event.detail::text,
        'subjects', (SELECT coalesce(jsonb_agg(jsonb_build_array(one.key, one.identity) ORDER BY one.place), '[]')
                     FROM lifecycle.subjects_v1(event) AS one))
    FROM unnest(p_events) WITH ORDINALITY AS wanted (id, place)
    JOIN @tables@.lifecycle_event AS event ON event.id = wanted.id
$$
