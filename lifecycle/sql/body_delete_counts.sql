-- Trigger body: how many rows one DELETE statement has taken, whoever ran it. Their keys are secrets.
DECLARE
    lc_count bigint := (SELECT count(*) FROM old_rows);
BEGIN
    IF to_regnamespace('lifecycle') IS NOT NULL AND lc_count > 0 THEN
        PERFORM lifecycle.ended_v1(@model@, NULL, lc_count);
    END IF;
    RETURN NULL;
END
