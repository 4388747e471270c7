-- Record that a set of rows ends at one moment (NULL: no longer). A NULL is only worth an event
-- where it takes something back: an end that had passed, a restore, an expiry by hand.
CREATE FUNCTION lifecycle.schedule_part_v1(
    p_policy text, p_model text, p_subjects lifecycle.subjects, p_count bigint,
    p_due timestamptz, p_detail jsonb, p_excepted boolean
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    detail jsonb := p_detail;
BEGIN
    IF p_excepted AND lifecycle.touches_v1(p_policy, p_subjects) THEN
        detail := detail || '{"again": true, "dropped": true}';
    ELSIF p_due IS NULL AND NOT detail ? 'again' THEN
        RETURN;
    END IF;
    PERFORM lifecycle.write_v1('expiry_scheduled', p_policy, p_model, p_subjects, p_count,
                               NULL, p_due, NULL, detail, NULL);
END $$
