-- The end of the window in which a moment lies, which is the start of the next one.
CREATE FUNCTION lifecycle.window_end_v1(moment timestamptz, unit text) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT (date_trunc(unit, moment AT TIME ZONE 'UTC') + ('1 ' || unit)::interval) AT TIME ZONE 'UTC'
$$
