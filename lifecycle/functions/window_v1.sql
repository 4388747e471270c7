-- The start of the window in which a moment lies: an hour, a day or a month of UTC.
CREATE FUNCTION lifecycle.window_v1(moment timestamptz, unit text) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT date_trunc(unit, moment, 'UTC')
$$
