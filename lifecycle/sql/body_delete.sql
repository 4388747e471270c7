-- Trigger body: rows that one DELETE statement has taken, whoever ran it.
#variable_conflict use_column
DECLARE
    lc_keys @kind@[];
    lc_told bytea[];
    lc_count bigint := (SELECT count(*) FROM old_rows);
    lc_failure text;
BEGIN
    IF to_regnamespace('lifecycle') IS NULL THEN
        RETURN NULL;  -- the package was removed; the host's writes go on
    END IF;
    IF lc_count = 0 THEN
        RETURN NULL;
    END IF;
@identify@    IF coalesce((lifecycle.ending_v1(@model@) ->> 'count')::bigint = lc_count, false) THEN
        PERFORM lifecycle.ended_v1(@model@, NULL, lc_count@told@);
        RETURN NULL;
    END IF;
    BEGIN
        SELECT array_agg(key ORDER BY @order@) INTO lc_keys
        FROM (SELECT @pk@::@kind@ AS key FROM old_rows) AS taken;
    EXCEPTION WHEN OTHERS THEN
        lc_failure := SQLSTATE;  -- the key has another column or type now
    END;
    IF lc_failure IS NULL THEN
        PERFORM lifecycle.ended_v1(@model@, @subjects@, lc_count@told@);
    ELSE
        PERFORM lifecycle.capture_failed_v1('', @model@, @subjects@, lc_failure);
    END IF;
    RETURN NULL;
END
