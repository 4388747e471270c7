-- Whether any row of a table has an exception of some kinds.
CREATE FUNCTION lifecycle.excepted_of_v1(p_model text, p_kinds text[]) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET jit = off SET enable_sort = off AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM unnest(p_kinds) AS wanted CROSS JOIN LATERAL (
            SELECT one.model, one.kind FROM @tables@.lifecycle_exception AS one
            WHERE (one.model, one.kind) >= (p_model, wanted)
            ORDER BY one.model, one.kind, one.key LIMIT 1) AS nearest
        WHERE nearest.model = p_model AND nearest.kind = wanted);
END $$
