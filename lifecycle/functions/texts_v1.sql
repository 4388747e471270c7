-- The keys of a set as text, as row exceptions have them; an array, so that an index is probed by it.
CREATE FUNCTION lifecycle.texts_v1(s lifecycle.subjects) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    IF s.span IS NOT NULL THEN
        RETURN ARRAY(SELECT generate_series(lower(s.span), upper(s.span) - 1)::text);
    END IF;
    RETURN coalesce(s.bigints::text[], s.uuids::text[], s.texts, '{}');
END $$
