-- Whether any row of a policy is restored or was expired by hand: few sites have any at a time.
CREATE FUNCTION lifecycle.excepted_v1(p_policy text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (SELECT FROM @tables@.lifecycle_exception
                   WHERE policy = p_policy AND kind IN ('restored', 'expired_by_hand'))
$$
