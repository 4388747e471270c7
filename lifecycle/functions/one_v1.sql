-- A set of one key, from its text and the ledger's type of it.
CREATE FUNCTION lifecycle.one_v1(p_kind text, p_key text) RETURNS lifecycle.subjects
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE p_kind
        WHEN 'bigint' THEN ROW(ARRAY[p_key]::bigint[], NULL, NULL, NULL)::lifecycle.subjects
        WHEN 'uuid' THEN ROW(NULL, ARRAY[p_key]::uuid[], NULL, NULL)::lifecycle.subjects
        WHEN 'text' THEN ROW(NULL, NULL, ARRAY[p_key], NULL)::lifecycle.subjects END
$$
