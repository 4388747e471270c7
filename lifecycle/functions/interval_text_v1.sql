-- The one text of intervals that are equal: 24 hours are a day, 30 days a month. Days, for no month is as long
-- in Python; of spans that Python has not, months.
CREATE FUNCTION lifecycle.interval_text_v1(key interval) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET intervalstyle = 'postgres' AS $$
DECLARE
    same CONSTANT interval := justify_interval(key);
    months numeric;
BEGIN
    IF isfinite(same) THEN
        months := extract(year FROM same) * 12 + extract(month FROM same);
        IF abs(months) < 60000000 THEN
            RETURN (same - make_interval(months => months::int) + make_interval(days => months::int * 30))::text;
        END IF;
    END IF;
    RETURN same::text;
END $$
