-- The one text of a key of a type whose own text follows the session's settings, or may: a date, an interval, bytes,
-- a site's own type. Everybody may call it.
CREATE FUNCTION lifecycle.text_v1(key anyelement) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres' SET timezone = 'UTC' SET extra_float_digits = 1
SET bytea_output = 'hex' SET lc_monetary = 'C' AS $$
BEGIN
    RETURN key::text;
END $$
