-- The same set in key order; integers that turn out to be contiguous become a span.
CREATE FUNCTION lifecycle.sorted_v1(s lifecycle.subjects) RETURNS lifecycle.subjects
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    IF s.bigints IS NULL OR cardinality(s.bigints) = 1 THEN
        RETURN s;
    END IF;
    s.bigints := ARRAY(SELECT unnest(s.bigints) ORDER BY 1);
    RETURN lifecycle.slice_v1(s, 1, cardinality(s.bigints));
END $$
