-- A policy's expression failed on rows just written: list them for the worker, which evaluates
-- them one by one. Only the SQLSTATE is kept; the message could hold a field's value.
CREATE FUNCTION lifecycle.capture_failed_v1(
    p_policy text, p_model text, p_subjects lifecycle.subjects, p_sqlstate text
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    total bigint := lifecycle.size_v1(p_subjects);
    chunk CONSTANT bigint := 10000;
BEGIN
    IF to_regclass('@tables@.lifecycle_event') IS NULL OR pg_sequence_last_value('lifecycle.in_use') IS NULL THEN
        RETURN;  -- the package was removed, or a dump is being restored, with its ledger
    END IF;
    IF total = 0 THEN
        IF p_policy = '' AND lifecycle.announced_v1() IS NOT NULL THEN
            RAISE EXCEPTION 'the keys or the files of % cannot be read', p_model USING ERRCODE = 'restrict_violation';
        END IF;
        PERFORM lifecycle.write_v1('capture_failed', p_policy, p_model, NULL, 0, NULL, NULL, NULL,
            jsonb_build_object('sqlstate', p_sqlstate), NULL);
    END IF;
    FOR i IN 1..total BY chunk LOOP
        PERFORM lifecycle.write_v1('capture_failed', p_policy, p_model,
            lifecycle.slice_v1(p_subjects, i, least(i + chunk - 1, total)),
            least(chunk, total - i + 1), NULL, lifecycle.now_v1(), NULL,
            jsonb_build_object('sqlstate', p_sqlstate, 'again', true), NULL);
    END LOOP;
END $$
