-- Append what people say of rows and of policies. A site's role may be given it, so it believes nothing:
-- the kind is one of four, its detail has these fields of these types and no others, its set is counted.
CREATE FUNCTION lifecycle.record_v1(
    p_kind text, p_policy text, p_model text, p_subjects lifecycle.subjects, p_due timestamptz,
    p_detail jsonb
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    fields CONSTANT jsonb := jsonb '{
        "hold_placed": {"reason": "string", "reference": "string", "until": "string"},
        "hold_released": {"holds": "array"},
        "restored": {"until": "string", "again": "boolean"},
        "expired_by_hand": {}}' -> p_kind;
    total CONSTANT bigint := lifecycle.size_v1(p_subjects);
BEGIN
    IF fields IS NULL OR EXISTS (
        SELECT FROM jsonb_each(p_detail) AS given WHERE NOT fields ? key
        OR jsonb_typeof(value) NOT IN (fields ->> key, CASE key WHEN 'until' THEN 'null' ELSE '' END)
        OR key = 'until' AND value #>> '{}' !~ '^[-0-9T:.+]{10,40}$'
    ) THEN
        RAISE EXCEPTION 'this is not what may be recorded of %', p_model USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF total = 0 AND p_kind IN ('restored', 'expired_by_hand') OR p_model !~ '^\w+\.\w+$'
       OR p_policy = '' AND p_kind IN ('restored', 'expired_by_hand')
       OR p_policy <> '' AND NOT EXISTS (
           SELECT FROM @tables@.lifecycle_policy WHERE name = p_policy AND model = p_model)
       OR p_kind = 'hold_released' AND NOT p_detail ? 'holds' THEN
        RAISE EXCEPTION 'there is no such row or policy of %', p_model USING ERRCODE = 'insufficient_privilege';
    END IF;
    -- Somebody else may have been first: that is no forgery.
    IF p_kind = 'hold_released' AND EXISTS (
           SELECT FROM jsonb_array_elements_text(p_detail -> 'holds') AS one (number) WHERE NOT EXISTS (
               SELECT FROM @tables@.lifecycle_exception AS hold WHERE hold.kind = 'hold'
               AND hold.event_id = number::bigint AND hold.model = p_model)) THEN
        RAISE EXCEPTION 'there is no such hold of %', p_model USING ERRCODE = 'no_data_found';
    END IF;
    RETURN lifecycle.write_v1(p_kind, p_policy, p_model, p_subjects, total, NULL,
        p_due, NULL, p_detail, NULL);
END $$
