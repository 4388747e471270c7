-- Part of a media trigger's body: the names in one field of the rows that a DELETE has taken.
    lc_failure := NULL;
    BEGIN
        SELECT array_agg(DISTINCT name COLLATE "C") INTO lc_names
        FROM (SELECT @column@::text AS name FROM old_rows) AS taken WHERE name <> '';
    EXCEPTION WHEN OTHERS THEN
        lc_failure := SQLSTATE;  -- the field has another column or type now
    END;
    IF lc_failure IS NOT NULL THEN
        PERFORM lifecycle.capture_failed_v1('', @model@, NULL, lc_failure)
        FROM (SELECT FROM old_rows LIMIT 1) AS any_row;
    ELSIF lc_names IS NOT NULL THEN
        PERFORM lifecycle.media_orphaned_v1(@model@, @field@, lc_names, @grace@);
    END IF;
