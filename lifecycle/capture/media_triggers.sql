-- name: body_media
-- Trigger body: files whose names one statement has taken out of the table's file fields.
#variable_conflict use_column
DECLARE
    lc_names text[];
    lc_name text;
    lc_failure text;
BEGIN
    IF pg_catalog.to_regnamespace('lifecycle') IS NULL THEN
        RETURN NULL;  -- the package was removed; the host's writes go on
    END IF;
    IF lifecycle.elsewhere_v1(TG_RELID) THEN
        RETURN NULL;  -- no policy stands on this table: `status` and checks name it
    END IF;
@fields@    RETURN NULL;
END

-- name: body_media_delete
-- Part of a media trigger's body: the names in one field of the rows that a DELETE has taken.
    lc_failure := NULL;
    BEGIN
        SELECT pg_catalog.array_agg(DISTINCT name COLLATE "C") INTO lc_names
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

-- name: body_media_truncate
-- Part of a media trigger's body, before a TRUNCATE: the names in one field of the table, which may be
-- large and is read row by row. Each partition has a trigger of its own.
    lc_failure := NULL;
    lc_names := '{}';
    BEGIN
        EXECUTE pg_catalog.format(
            'SELECT %I::text FROM ONLY %I.%I LIMIT 0', @name@, TG_TABLE_SCHEMA, TG_TABLE_NAME);
    EXCEPTION WHEN OTHERS THEN
        lc_failure := SQLSTATE;  -- the field has another column now
    END;
    IF lc_failure IS NOT NULL THEN
        PERFORM lifecycle.capture_failed_v1('', @model@, NULL, lc_failure);
    ELSE
        FOR lc_name IN EXECUTE pg_catalog.format(
            'SELECT %1$I::text FROM ONLY %2$I.%3$I WHERE %1$I::text <> ''''',
            @name@, TG_TABLE_SCHEMA, TG_TABLE_NAME)
        LOOP
            lc_names := lc_names || lc_name;
            IF pg_catalog.cardinality(lc_names) = 1000 THEN
                PERFORM lifecycle.media_orphaned_v1(@model@, @field@, lc_names, @grace@);
                lc_names := '{}';
            END IF;
        END LOOP;
        IF lc_names <> '{}' THEN
            PERFORM lifecycle.media_orphaned_v1(@model@, @field@, lc_names, @grace@);
        END IF;
    END IF;

-- name: body_media_update
-- Part of a media trigger's body: the names that an UPDATE has taken out of one field. One that another
-- of the same rows has now is not: rows may swap their files.
    lc_failure := NULL;
    BEGIN
        SELECT pg_catalog.array_agg(name ORDER BY name) INTO lc_names FROM (
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
