-- The root of the tree of RFC 6962 over hashes of leaves, in their order; NULL of none.
CREATE FUNCTION lifecycle.merkle_root_v1(p_hashes bytea[]) RETURNS bytea
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    hashes bytea[] := p_hashes;
BEGIN
    WHILE cardinality(hashes) > 1 LOOP
        hashes := ARRAY(
            SELECT coalesce(sha256('\x01'::bytea || one.hash || one.next), one.hash) FROM (
                SELECT hash, lead(hash) OVER (ORDER BY place) AS next, place
                FROM unnest(hashes) WITH ORDINALITY AS each (hash, place)) AS one
            WHERE place % 2 = 1 ORDER BY place);
    END LOOP;
    RETURN hashes[1];
END $$
