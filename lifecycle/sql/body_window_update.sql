-- Trigger body: the windows into which one UPDATE statement has moved rows. Old and new are compared
-- only where some window of theirs is not on the agenda, or a row is restored or expired by hand.
#variable_conflict use_column
DECLARE
    lc_starts timestamptz[];
    lc_keys @kind@[];
    lc_dues timestamptz[];
    lc_failure text;
BEGIN
    IF to_regnamespace('lifecycle') IS NULL THEN
        RETURN NULL;  -- the package was removed; the host's writes go on
    END IF;
    -- Nothing is written inside this block, so the host's transaction gets no subtransaction id.
    BEGIN
        WITH @table@ AS (SELECT * FROM new_rows), ends AS (
            SELECT DISTINCT @start@ AS start
            FROM (@due_sql@) AS compiled
        )
        SELECT array_agg(start ORDER BY start) INTO lc_starts FROM ends WHERE start IS NOT NULL;
        lc_starts := lifecycle.unlisted_v1(@policy@, lc_starts);
        IF lc_starts IS NOT NULL OR lifecycle.excepted_v1(@policy@) THEN
            WITH was AS (
                WITH @table@ AS (SELECT * FROM old_rows)
                SELECT key::@kind@ AS key, lifecycle.finite_v1(due::timestamptz) AS due
                FROM (@due_sql@) AS compiled
            ), became AS (
                WITH @table@ AS (SELECT * FROM new_rows)
                SELECT key::@kind@ AS key, lifecycle.finite_v1(due::timestamptz) AS due
                FROM (@due_sql@) AS compiled
            ), moved AS (
                SELECT key, lifecycle.window_v1(became.due, @unit@) AS start,
                    lifecycle.tick_v1(became.due, @resolution@) AS due,
                    key::text IN (SELECT lifecycle.excepted_keys_v1(@policy@)) AS excepted
                FROM became LEFT JOIN was USING (key) WHERE became.due IS DISTINCT FROM was.due
            )
            SELECT array_agg(DISTINCT start) FILTER (WHERE start IS NOT NULL),
                array_agg(key ORDER BY due, key) FILTER (WHERE excepted),
                array_agg(due ORDER BY due, key) FILTER (WHERE excepted)
            INTO lc_starts, lc_keys, lc_dues FROM moved;
        END IF;
    EXCEPTION WHEN OTHERS THEN
        lc_failure := SQLSTATE;
    END;
    IF lc_failure IS NOT NULL THEN
        PERFORM lifecycle.capture_failed_v1(@policy@, @model@, NULL, lc_failure)
        FROM (SELECT FROM new_rows LIMIT 1) AS any_row;
        RETURN NULL;
    END IF;
    IF lc_starts IS NOT NULL THEN
        PERFORM lifecycle.windowed_v1(@policy@, @model@, lc_starts, @unit@, @every@, '{}');
    END IF;
    IF lc_keys IS NOT NULL THEN
        PERFORM lifecycle.scheduled_v1(@policy@, @model@, @subjects@, lc_dues, '{}');
    END IF;
    RETURN NULL;
END
