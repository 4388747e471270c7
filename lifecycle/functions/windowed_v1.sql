-- Make sure that the agenda knows windows in which rows end; nothing is written where it does. One
-- that is over falls due now.
CREATE FUNCTION lifecycle.windowed_v1(
    p_policy text, p_model text, p_starts timestamptz[], p_unit text, p_every text, p_detail jsonb
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    start timestamptz;
    missing timestamptz[];
BEGIN
    IF to_regclass('@tables@.lifecycle_event') IS NULL OR pg_sequence_last_value('lifecycle.in_use') IS NULL THEN
        RETURN;  -- the package was removed, or a dump is being restored, with its ledger
    END IF;
    missing := lifecycle.unlisted_v1(p_policy, p_starts);
    FOREACH start IN ARRAY coalesce(missing, '{}') LOOP
        PERFORM lifecycle.write_v1('expiry_scheduled', p_policy, p_model, NULL, 0, NULL,
            lifecycle.window_due_v1(
                greatest(lifecycle.window_end_v1(start, p_unit), lifecycle.now_v1()), p_every),
            NULL, p_detail || jsonb_build_object('window', start), NULL);
    END LOOP;
END $$
