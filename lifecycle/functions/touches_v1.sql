-- Whether a row of the set is restored or was expired by hand under the policy.
CREATE FUNCTION lifecycle.touches_v1(p_policy text, s lifecycle.subjects) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM @tables@.lifecycle_exception
        WHERE policy = p_policy AND kind IN ('restored', 'expired_by_hand')
        AND CASE WHEN s.span IS NOT NULL THEN key::bigint <@ s.span
                 WHEN s.bigints IS NOT NULL THEN key::bigint = ANY (s.bigints)
                 WHEN s.uuids IS NOT NULL THEN key::uuid = ANY (s.uuids)
                 ELSE key = ANY (s.texts) END)
$$
