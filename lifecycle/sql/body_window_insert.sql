-- Trigger body: the windows in which rows of one INSERT statement end. A key that was restored or
-- expired by hand before is another row's now.
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
        IF lifecycle.excepted_v1(@policy@) THEN
            WITH @table@ AS (SELECT * FROM new_rows), told AS (
                SELECT key::@kind@ AS key,
                    lifecycle.tick_v1(lifecycle.finite_v1(due::timestamptz), @resolution@) AS due
                FROM (@due_sql@) AS compiled
            )
            SELECT array_agg(key ORDER BY due, key), array_agg(due ORDER BY due, key)
            INTO lc_keys, lc_dues FROM told
            WHERE key::text IN (SELECT lifecycle.excepted_keys_v1(@policy@));
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
