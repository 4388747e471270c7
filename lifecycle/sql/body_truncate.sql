-- Trigger body: a TRUNCATE is recorded, and refused while rows are held.
BEGIN
    IF to_regnamespace('lifecycle') IS NULL THEN
        RETURN NULL;  -- the package was removed; the host's writes go on
    END IF;
    PERFORM lifecycle.truncated_v1(@model@);
    RETURN NULL;
END
