-- What only this database's owner can have made of a text, for this transaction of this session: nobody
-- who reads it can use it in another one. The key is the salt's, under a name of its own.
CREATE FUNCTION lifecycle.proof_v1(p_text text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT encode(lifecycle.hmac_v1(sha256('lifecycle.ending '::bytea || salt),
        convert_to(pg_current_xact_id()::text || ' ' || pg_backend_pid() || ' ' || p_text, 'UTF8')), 'hex')
    FROM lifecycle.salt
$$
