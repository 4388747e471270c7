-- Part of a media trigger's body, before a TRUNCATE: the names in one field of the table, which may be
-- large and is read row by row. Each partition has a trigger of its own.
    lc_failure := NULL;
    lc_names := '{}';
    BEGIN
        EXECUTE format('SELECT %I::text FROM ONLY %s LIMIT 0', @name@, TG_RELID::regclass);
    EXCEPTION WHEN OTHERS THEN
        lc_failure := SQLSTATE;  -- the field has another column now, or the role may not read it
    END;
    IF lc_failure IS NOT NULL THEN
        PERFORM lifecycle.capture_failed_v1('', @model@, NULL, lc_failure);
    ELSE
        FOR lc_name IN EXECUTE format(
            'SELECT %1$I::text FROM ONLY %2$s WHERE %1$I::text <> ''''', @name@, TG_RELID::regclass)
        LOOP
            lc_names := lc_names || lc_name;
            IF cardinality(lc_names) = 1000 THEN
                PERFORM lifecycle.media_orphaned_v1(@model@, @field@, lc_names, @grace@);
                lc_names := '{}';
            END IF;
        END LOOP;
        IF lc_names <> '{}' THEN
            PERFORM lifecycle.media_orphaned_v1(@model@, @field@, lc_names, @grace@);
        END IF;
    END IF;
