-- The leaf of a part in the small tree of an event: its fields, and the blind that hides them. The blind is
-- HMAC-SHA-256 of them under the event's salt, of which the two padded keys are given.
CREATE FUNCTION lifecycle.part_v1(p_inner bytea, p_outer bytea, p_fields text[]) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT sha256('\x00'::bytea || 'lifecycle.part\001'::bytea
        || sha256(p_outer || sha256(p_inner || 'lifecycle.part\001'::bytea || fields)) || fields)
    FROM lifecycle.fields_v1(p_fields) AS fields
$$
