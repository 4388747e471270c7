-- Of some keys those of rows of a policy that are restored or were expired by hand. Probed by key.
CREATE FUNCTION lifecycle.excepted_keys_v1(p_policy text, p_keys text[]) RETURNS SETOF text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off
ROWS 10 AS $$
BEGIN
    IF NOT lifecycle.excepted_v1(p_policy) THEN
        RETURN;
    END IF;
    RETURN QUERY SELECT key FROM @tables@.lifecycle_exception
        WHERE policy = p_policy AND kind IN ('restored', 'expired_by_hand') AND key = ANY (p_keys);
END $$
