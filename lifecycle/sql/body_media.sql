-- Trigger body: files whose names one statement has taken out of the table's file fields.
#variable_conflict use_column
DECLARE
    lc_names text[];
    lc_name text;
    lc_failure text;
BEGIN
    IF to_regnamespace('lifecycle') IS NULL THEN
        RETURN NULL;  -- the package was removed; the host's writes go on
    END IF;
@fields@    RETURN NULL;
END
