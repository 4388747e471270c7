-- Part of a media trigger's body: the names that an UPDATE has taken out of one field. One that another
-- of the same rows has now is not: rows may swap their files.
    lc_failure := NULL;
    BEGIN
        SELECT array_agg(name ORDER BY name) INTO lc_names FROM (
            SELECT @column@::text COLLATE "C" AS name FROM old_rows WHERE @column@::text <> ''
            EXCEPT SELECT @column@::text COLLATE "C" FROM new_rows) AS replaced;
    EXCEPTION WHEN OTHERS THEN
        lc_failure := SQLSTATE;  -- the field has another column or type now
    END;
    IF lc_failure IS NOT NULL THEN
        PERFORM lifecycle.capture_failed_v1('', @model@, NULL, lc_failure)
        FROM (SELECT FROM old_rows LIMIT 1) AS any_row;
    ELSIF lc_names IS NOT NULL THEN
        PERFORM lifecycle.media_orphaned_v1(@model@, @field@, lc_names, @grace@);
    END IF;
