-- Count rows against a policy's cap, by the hour; hours past the window are forgotten. Returns the rows of
-- 24 hours, and those that were allowed beyond the cap; no line where there is no such policy. What was
-- counted cannot be taken back by a number below zero.
CREATE FUNCTION lifecycle.spend_v1(p_policy text, p_now timestamptz, p_rows bigint)
RETURNS TABLE (spent bigint, allowed bigint)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH clock AS (
        SELECT to_char(p_now AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24') AS hour,
            to_char(least(p_now, lifecycle.now_v1()) AT TIME ZONE 'UTC' - interval '24 hours',
                    'YYYY-MM-DD"T"HH24') AS oldest
    ), counted AS (
        UPDATE @tables@.lifecycle_policy AS stored SET spent = (
            SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(stored.spent)
            WHERE CASE WHEN starts_with(key, 'allowed') THEN substr(key, 9, 13) > oldest
                       ELSE key >= oldest END
        ) || jsonb_build_object(hour, coalesce((stored.spent ->> hour)::bigint, 0) + greatest(p_rows, 0))
        FROM clock WHERE stored.name = p_policy
        RETURNING stored.spent
    )
    SELECT (sum(value::bigint) FILTER (WHERE NOT starts_with(key, 'allowed')))::bigint,
        coalesce(sum(value::bigint) FILTER (WHERE starts_with(key, 'allowed')), 0)::bigint
    FROM counted, jsonb_each_text(counted.spent)
    HAVING count(*) > 0
$$
