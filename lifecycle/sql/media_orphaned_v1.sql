-- Record names of files that rows have no longer, a thousand an event. What the runner ends may go at
-- once, for its grace is over; what the host has deleted or replaced waits for `p_grace`.
CREATE FUNCTION lifecycle.media_orphaned_v1(
    p_model text, p_field text, p_names text[], p_grace interval
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    said jsonb := lifecycle.setting_v1('ending')::jsonb;
    told jsonb := jsonb_build_object('field', p_field);
    total int := cardinality(p_names);
    chunk CONSTANT int := 1000;
BEGIN
    IF to_regclass('@tables@.lifecycle_event') IS NULL THEN
        RETURN;  -- the package was removed
    END IF;
    IF said -> 'detail' ? 'erasure' THEN
        told := told || jsonb_build_object('erasure', said -> 'detail' -> 'erasure');
    END IF;
    FOR i IN 1..total BY chunk LOOP
        PERFORM lifecycle.write_v1('media_orphaned', '', p_model, NULL, least(chunk, total - i + 1),
            NULL, lifecycle.now_v1() + CASE WHEN said IS NULL THEN p_grace ELSE interval '0' END,
            (said ->> 'run')::bigint,
            told || jsonb_build_object('names', p_names[i:i + chunk - 1]), NULL);
    END LOOP;
END $$
