-- Record a TRUNCATE; refuse it while a row or a policy of the table is held.
CREATE FUNCTION lifecycle.truncated_v1(p_model text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF to_regclass('@tables@.lifecycle_event') IS NULL OR pg_sequence_last_value('lifecycle.in_use') IS NULL THEN
        RETURN;  -- the package was removed, or a dump is being restored, with its ledger
    END IF;
    IF EXISTS (SELECT FROM @tables@.lifecycle_exception WHERE kind = 'hold'
               AND (model = p_model OR policy IN (
                   SELECT name FROM @tables@.lifecycle_policy WHERE lifecycle_policy.model = p_model))
               AND lifecycle.in_force_v1(until, lifecycle.now_v1())) THEN
        RAISE EXCEPTION 'TRUNCATE of % refused: rows of it are held', p_model
            USING ERRCODE = 'restrict_violation',
                  HINT = '`manage.py lifecycle holds` lists them; each can be released.';
    END IF;
    PERFORM lifecycle.write_v1('truncated', '', p_model, NULL, 0, NULL, NULL, NULL, '{}', NULL);
END $$
