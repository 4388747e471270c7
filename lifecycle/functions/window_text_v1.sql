-- The start of a window as events name it, the same whatever the session's zone and date style.
CREATE FUNCTION lifecycle.window_text_v1(start timestamptz) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT to_char(start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"')
$$
