-- Eight bytes for each row, one after the other: a keyed hash of what its identity is made of. NULL
-- when it cannot be made: no write of the host fails for it. (A function that is scanned gives its
-- rows in their order.)
CREATE FUNCTION lifecycle.identities_v1(p_parts bytea[]) RETURNS bytea
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    salt bytea := (SELECT salt.salt FROM lifecycle.salt);
BEGIN
    RETURN (SELECT string_agg(substr(sha256(salt || one), 1, 8), '') FROM unnest(p_parts) AS one);
EXCEPTION WHEN OTHERS THEN
    RETURN NULL;
END $$
