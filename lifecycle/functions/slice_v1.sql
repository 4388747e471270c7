-- Keys a to b (from 1, inclusive) of a set, contiguous integers as a span. The arrays are sorted.
-- Keys may be any bigints: the span of two may be more than one, and a range ends one above.
CREATE FUNCTION lifecycle.slice_v1(s lifecycle.subjects, a bigint, b bigint)
RETURNS lifecycle.subjects LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    part lifecycle.subjects;
BEGIN
    IF s.bigints IS NULL THEN
        part.uuids := s.uuids[a:b];
        part.texts := s.texts[a:b];
    ELSIF b > a AND s.bigints[b] < 9223372036854775807
        AND s.bigints[b]::numeric - s.bigints[a] = b - a THEN
        part.span := int8range(s.bigints[a], s.bigints[b], '[]');
    ELSE
        part.bigints := s.bigints[a:b];
    END IF;
    RETURN part;
END $$
