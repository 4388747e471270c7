-- The row exceptions of a set under a policy, and the holds on its rows, in force or not. Probed by
-- key, whatever the planner takes for few: a batch must not read the exceptions of all other rows.
CREATE FUNCTION lifecycle.exceptions_v1(p_policy text, p_model text, s lifecycle.subjects)
RETURNS TABLE (event_id bigint, kind text, key text, since timestamptz, until timestamptz, grace interval)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off ROWS 10 AS $$
#variable_conflict use_column
DECLARE
    keys text[];
BEGIN
    IF lifecycle.excepted_v1(p_policy) THEN
        keys := lifecycle.texts_v1(s);
        RETURN QUERY SELECT one.event_id, one.kind::text, one.key, one.since, one.until, one.grace
            FROM @tables@.lifecycle_exception AS one
            WHERE one.policy = p_policy AND one.kind IN ('restored', 'expired_by_hand')
            AND one.key = ANY (keys);
    END IF;
    IF lifecycle.excepted_of_v1(p_model, '{hold}') THEN
        keys := coalesce(keys, lifecycle.texts_v1(s));
        RETURN QUERY SELECT one.event_id, one.kind::text, one.key, one.since, one.until, one.grace
            FROM @tables@.lifecycle_exception AS one
            WHERE one.model = p_model AND one.kind = 'hold' AND one.key = ANY (keys);
    END IF;
END $$
