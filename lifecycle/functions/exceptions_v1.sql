-- The row exceptions of a set under a policy, and the holds on its rows, in force or not. Probed by
-- key, whatever the planner takes for few: a batch must not read the exceptions of all other rows.
CREATE FUNCTION lifecycle.exceptions_v1(p_policy text, p_model text, s lifecycle.subjects)
RETURNS SETOF @tables@.lifecycle_exception
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off ROWS 10 AS $$
DECLARE
    keys text[];
BEGIN
    IF lifecycle.excepted_v1(p_policy) THEN
        keys := lifecycle.texts_v1(s);
        RETURN QUERY SELECT * FROM @tables@.lifecycle_exception
            WHERE policy = p_policy AND kind IN ('restored', 'expired_by_hand') AND key = ANY (keys);
    END IF;
    IF lifecycle.excepted_of_v1(p_model, '{hold}') THEN
        keys := coalesce(keys, lifecycle.texts_v1(s));
        RETURN QUERY SELECT * FROM @tables@.lifecycle_exception
            WHERE model = p_model AND kind = 'hold' AND key = ANY (keys);
    END IF;
END $$
