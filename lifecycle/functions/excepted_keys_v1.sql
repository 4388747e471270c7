-- The keys of a policy's rows that are restored or were expired by hand.
CREATE FUNCTION lifecycle.excepted_keys_v1(p_policy text) RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 10 AS $$
    SELECT key FROM @tables@.lifecycle_exception
    WHERE policy = p_policy AND kind IN ('restored', 'expired_by_hand')
$$
