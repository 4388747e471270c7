-- Whether any row of a policy is restored or was expired by hand: few sites have any at a time.
-- The first entry of the index from there on tells. plpgsql keeps a plan for all policies and for a
-- whole session; without an order it may be one that reads the exceptions of all others.
CREATE FUNCTION lifecycle.excepted_v1(p_policy text) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET jit = off SET enable_sort = off AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM unnest('{restored,expired_by_hand}'::text[]) AS wanted CROSS JOIN LATERAL (
            SELECT one.policy, one.kind FROM @tables@.lifecycle_exception AS one
            WHERE (one.policy, one.kind) >= (p_policy, wanted)
            ORDER BY one.policy, one.kind, one.key LIMIT 1) AS nearest
        WHERE nearest.policy = p_policy AND nearest.kind = wanted);
END $$
