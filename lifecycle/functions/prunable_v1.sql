-- The events up to a number that nothing of this database needs any more: recorded before a time, sealed and
-- published, and needed by no agenda entry, exception, policy state, later event or question that is asked by name.
-- What is needed needs others: the event that has its rows, its tombstone, what has settled it, and of a gathered set
-- the events that it was made of. A fold of the
-- others gives the same projections. Nobody has counted what stands in arrays: in loops it would be without end.
CREATE FUNCTION lifecycle.prunable_v1(p_upto bigint, p_before timestamptz)
RETURNS TABLE (event bigint, log int, index bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off AS $$
    WITH RECURSIVE published AS MATERIALIZED (
        SELECT one.event, seal.log, seal.first + one.place - 1 AS index
        FROM @tables@.lifecycle_seal AS seal JOIN @tables@.lifecycle_log AS log ON log.incarnation = seal.log,
            unnest(seal.events) WITH ORDINALITY AS one (event, place)
        WHERE seal.lowest <= p_upto AND seal.first + one.place <= log.shipped - log.shipped % 256
        AND EXISTS (SELECT FROM @tables@.lifecycle_event AS there
                    WHERE there.id BETWEEN seal.lowest AND least(seal.highest, p_upto))
    ), old AS MATERIALIZED (
        SELECT event.id, event.basis, event.settled,
            CASE jsonb_typeof(event.detail -> 'gathered') WHEN 'array' THEN event.detail -> 'gathered' END AS gathered, (event.detail ->> 'tombstone')::bigint AS tombstone,
            event.recorded_at >= p_before OR lifecycle.decides_v1(event.kind, event.detail)
                OR event.kind IN ('archived', 'archive_erased', 'archive_lost', 'loaded', 'media_orphaned', 'log_begun', 'log_recovered', 'pruned', 'requested')
                OR event.detail ?| ARRAY['held', 'reference', 'erasure', 'again', 'late'] AS is_kept
        FROM @tables@.lifecycle_event AS event WHERE event.id <= p_upto
    ), link AS MATERIALIZED (
        SELECT id AS needs, basis AS needed FROM old WHERE basis IS NOT NULL
        UNION ALL
        SELECT id, tombstone FROM old WHERE tombstone IS NOT NULL
        UNION ALL
        SELECT unnest(settled), id FROM old WHERE settled IS NOT NULL
        UNION ALL
        SELECT jsonb_array_elements_text(gathered)::bigint, id FROM old WHERE gathered IS NOT NULL
        UNION ALL
        SELECT id, unnest(settled) FROM old WHERE gathered IS NOT NULL
    ), needed AS (
        SELECT id FROM (
            SELECT id FROM old WHERE is_kept
            UNION ALL
            SELECT old.id FROM old WHERE NOT EXISTS (SELECT FROM published WHERE published.event = old.id)
            UNION ALL
            SELECT event_id FROM @tables@.lifecycle_agenda
            UNION ALL
            SELECT tombstone FROM @tables@.lifecycle_agenda WHERE tombstone IS NOT NULL
            UNION ALL
            SELECT event_id FROM @tables@.lifecycle_exception
            UNION ALL
            SELECT unnest(ARRAY[later.basis, (later.detail ->> 'tombstone')::bigint])
            FROM @tables@.lifecycle_event AS later
            WHERE later.id > p_upto AND (later.basis <= p_upto OR later.detail ? 'tombstone')
            UNION ALL
            SELECT unnest(later.settled) FROM @tables@.lifecycle_event AS later
            WHERE later.id > p_upto AND later.detail ? 'gathered'
        ) AS first
        UNION
        SELECT link.needed FROM needed JOIN link ON link.needs = needed.id
    )
    SELECT published.event, published.log, published.index FROM old JOIN published ON published.event = old.id
    WHERE NOT EXISTS (SELECT FROM needed WHERE needed.id = old.id)
$$
