-- A due time that every client can read: infinity (and past the year 9998) never comes and is
-- NULL; -infinity and BC dates are long past.
CREATE FUNCTION lifecycle.finite_v1(moment timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN moment < timestamptz '9999-01-01 00:00:00+00'
                THEN greatest(moment, timestamptz '0001-01-02 00:00:00+00') END
$$
