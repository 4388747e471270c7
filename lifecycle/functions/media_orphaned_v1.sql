-- Record names of files that rows have no longer, a thousand an event. What the engine ends may go at
-- once, for its grace is over; what the host has deleted or replaced waits for `p_grace`.
CREATE FUNCTION lifecycle.media_orphaned_v1(
    p_model text, p_field text, p_names text[], p_grace interval
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    announced jsonb := lifecycle.announced_v1();
    event jsonb := jsonb_build_object('field', p_field);
    chunk CONSTANT int := 1000;
    part record;
BEGIN
    IF to_regclass('@tables@.lifecycle_event') IS NULL OR pg_sequence_last_value('lifecycle.in_use') IS NULL THEN
        RETURN;  -- the package was removed, or a dump is being restored, with its ledger
    END IF;
    IF announced -> 'detail' ? 'erasure' THEN
        event := event || jsonb_build_object('erasure', announced -> 'detail' -> 'erasure');
    END IF;
    -- Not by slices: each is found by counting the texts before it, and a million took two minutes.
    FOR part IN
        SELECT array_agg(name ORDER BY place) AS names
        FROM unnest(p_names) WITH ORDINALITY AS one (name, place)
        GROUP BY (place - 1) / chunk ORDER BY min(place)
    LOOP
        PERFORM lifecycle.write_v1('media_orphaned', '', p_model, NULL, cardinality(part.names),
            NULL, lifecycle.now_v1() + CASE WHEN announced IS NULL THEN p_grace ELSE interval '0' END,
            (announced ->> 'run')::bigint, event || jsonb_build_object('names', part.names), NULL);
    END LOOP;
END $$
