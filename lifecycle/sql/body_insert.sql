-- Trigger body: rows of one INSERT statement, or of the new parents of a COPY or MERGE.
#variable_conflict use_column
DECLARE
    lc_keys @kind@[];
    lc_dues timestamptz[];
    lc_failure text;
BEGIN
    IF to_regnamespace('lifecycle') IS NULL THEN
        RETURN NULL;  -- the package was removed; the host's writes go on
    END IF;
    -- Nothing is written inside this block, so the host's transaction gets no subtransaction id.
    BEGIN
        WITH @table@ AS (SELECT * FROM new_rows), told AS (
            SELECT key::@kind@ AS key,
                lifecycle.tick_v1(lifecycle.finite_v1(due::timestamptz), @resolution@) AS due
            FROM (@due_sql@) AS compiled
        )
        SELECT array_agg(key ORDER BY due, key), array_agg(due ORDER BY due, key)
        INTO lc_keys, lc_dues FROM told
        WHERE due IS NOT NULL OR (SELECT lifecycle.excepted_v1(@policy@));
    EXCEPTION WHEN OTHERS THEN
        lc_failure := SQLSTATE;
    END;
    IF lc_failure IS NOT NULL THEN
        BEGIN
            SELECT array_agg(key ORDER BY key) INTO lc_keys
            FROM (SELECT @pk@::@kind@ AS key FROM new_rows) AS written;
        EXCEPTION WHEN OTHERS THEN
            lc_keys := NULL;  -- the key has another column or type now: backfill finds the rows
        END;
        PERFORM lifecycle.capture_failed_v1(@policy@, @model@, @subjects@, lc_failure)
        FROM (SELECT FROM new_rows LIMIT 1) AS any_row;
    ELSIF lc_keys IS NOT NULL THEN
        PERFORM lifecycle.scheduled_v1(@policy@, @model@, @subjects@, lc_dues,
            CASE WHEN lc_dues[1] - @resolution@ < lifecycle.now_v1() THEN '{"late": true}'::jsonb
                 ELSE '{}' END);
    END IF;
    RETURN NULL;
END
