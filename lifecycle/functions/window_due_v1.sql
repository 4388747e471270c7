-- When what ends at a moment falls due: then, or where a period is given at its next start.
CREATE FUNCTION lifecycle.window_due_v1(moment timestamptz, every text) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN every IS NULL OR date_trunc(every, moment, 'UTC') = moment THEN moment
                ELSE lifecycle.window_end_v1(moment, every) END
$$
