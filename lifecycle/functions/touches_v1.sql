-- Whether a row of the set is restored or was expired by hand under the policy. Probed by key: what
-- other rows have costs a write nothing.
CREATE FUNCTION lifecycle.touches_v1(p_policy text, s lifecycle.subjects) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
BEGIN
    RETURN EXISTS (SELECT FROM @tables@.lifecycle_exception
                   WHERE policy = p_policy AND kind IN ('restored', 'expired_by_hand')
                   AND key = ANY (lifecycle.texts_v1(s)));
END $$
