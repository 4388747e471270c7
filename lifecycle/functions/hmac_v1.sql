-- HMAC-SHA-256 (RFC 2104) with a key of 32 bytes, of PostgreSQL's own functions only: the key with each
-- byte XORed, eight bytes at a time, and 32 bytes of padding.
CREATE FUNCTION lifecycle.hmac_v1(p_key bytea, p_message bytea) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT sha256(outside || decode(repeat('5c', 32), 'hex')
        || sha256(inside || decode(repeat('36', 32), 'hex') || p_message))
    FROM (
        SELECT string_agg(int8send(word # x'3636363636363636'::bigint), '' ORDER BY place) AS inside,
            string_agg(int8send(word # x'5c5c5c5c5c5c5c5c'::bigint), '' ORDER BY place) AS outside
        FROM generate_series(0, 3) AS place CROSS JOIN LATERAL (
            SELECT ('x' || encode(substr(p_key, 8 * place + 1, 8), 'hex'))::bit(64)::bigint) AS part (word)
    ) AS padded
$$
