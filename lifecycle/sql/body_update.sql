-- Trigger body: rows of one UPDATE statement whose due time or `when` is another one now.
#variable_conflict use_column
DECLARE
    lc_keys @kind@[];
    lc_dues timestamptz[];
    lc_past_keys @kind@[];
    lc_past_dues timestamptz[];
    lc_failure text;
BEGIN
    IF to_regnamespace('lifecycle') IS NULL THEN
        RETURN NULL;  -- the package was removed; the host's writes go on
    END IF;
    BEGIN
        WITH was AS (
            WITH @table@ AS (SELECT * FROM old_rows)
            SELECT key::@kind@ AS key, matches, lifecycle.finite_v1(due::timestamptz) AS due
            FROM (@due_sql@) AS compiled
        ), became AS (
            WITH @table@ AS (SELECT * FROM new_rows)
            SELECT key::@kind@ AS key, matches, lifecycle.finite_v1(due::timestamptz) AS due
            FROM (@due_sql@) AS compiled
        ), changed AS (
            SELECT key, lifecycle.tick_v1(became.due, @resolution@) AS due,
                coalesce(was.due <= (SELECT lifecycle.now_v1()), false) AS past
            FROM became LEFT JOIN was USING (key)
            WHERE became.due IS DISTINCT FROM was.due OR became.matches IS DISTINCT FROM was.matches
        )
        SELECT array_agg(key ORDER BY due, key) FILTER (WHERE NOT past),
            array_agg(due ORDER BY due, key) FILTER (WHERE NOT past),
            array_agg(key ORDER BY due, key) FILTER (WHERE past),
            array_agg(due ORDER BY due, key) FILTER (WHERE past)
        INTO lc_keys, lc_dues, lc_past_keys, lc_past_dues FROM changed
        WHERE past OR due IS NOT NULL OR (SELECT lifecycle.excepted_v1(@policy@));
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
        RETURN NULL;
    END IF;
    IF lc_keys IS NOT NULL THEN
        PERFORM lifecycle.scheduled_v1(@policy@, @model@, @subjects@, lc_dues,
            CASE WHEN lc_dues[1] - @resolution@ < lifecycle.now_v1() THEN '{"late": true}'::jsonb
                 ELSE '{}' END);
    END IF;
    IF lc_past_keys IS NOT NULL THEN
        lc_keys := lc_past_keys;
        PERFORM lifecycle.scheduled_v1(@policy@, @model@, @subjects@, lc_past_dues, '{"again": true}');
    END IF;
    RETURN NULL;
END
