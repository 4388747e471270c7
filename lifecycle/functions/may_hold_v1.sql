-- Whether a filter of `segment_v1` may hold the key of a hash: false only where it does not. Reads a few bytes of a
-- large one, which is stored uncompressed for that.
CREATE FUNCTION lifecycle.may_hold_v1(p_filter bytea, p_hash bytea) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    bucket CONSTANT int := get_byte(p_hash, 0);
    ends bytea;
    low int := 0;
    high int;
BEGIN
    IF p_filter IS NULL THEN
        RETURN false;
    ELSIF substr(p_filter, 1, 1) = '\x00' THEN
        RETURN position(substr(p_hash, 1, 3) IN substr(p_filter, 2)) > 0;
    END IF;
    -- After the first byte: where each of 256 buckets ends, in four bytes; then two bytes a key.
    ends := substr(p_filter, greatest(4 * bucket - 2, 2), 8);
    IF bucket > 0 THEN
        low := ('x' || encode(substr(ends, 1, 4), 'hex'))::bit(32)::int;
        ends := substr(ends, 5, 4);
    END IF;
    high := ('x' || encode(substr(ends, 1, 4), 'hex'))::bit(32)::int;
    RETURN position(substr(p_hash, 2, 2) IN substr(p_filter, 1026 + 2 * low, 2 * (high - low))) > 0;
END $$
