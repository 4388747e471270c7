-- Whether several rows of a table may have the same key: no valid unique index of all rows has the key as
-- its only column, or other tables inherit from it, whose rows no index of its own covers. Or the key has a
-- collation by which texts are equal that the ledger takes for two: it knows upper and lower case only, and only where
-- the field names the collation. Asked by every batch, so in plpgsql, which plans it once a session.
CREATE FUNCTION lifecycle.shares_keys_v1(p_table regclass, p_key text, p_collation text) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN p_table IS NOT NULL AND (NOT EXISTS (
        SELECT FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]
        WHERE indrelid = p_table AND indisunique AND indisvalid AND indpred IS NULL
        AND indnkeyatts = 1 AND attname = p_key
    ) OR EXISTS (
        SELECT FROM pg_inherits JOIN pg_class ON pg_class.oid = inhparent
        WHERE inhparent = p_table AND relkind = 'r'
    ) OR EXISTS (
        SELECT FROM pg_attribute JOIN pg_collation AS own ON own.oid = attcollation
        CROSS JOIN LATERAL to_jsonb(own) AS said  -- the locale's column has another name from 17 on
        WHERE attrelid = p_table AND attname = p_key AND NOT collisdeterministic
        AND NOT (collname = p_collation AND said ->> 'collicurules' IS NULL
            AND coalesce(said ->> 'colllocale', said ->> 'colliculocale', '') ~* '^[a-z]+(-[a-z0-9]+)*-u-ks-level2$')));
END $$
