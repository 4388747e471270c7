-- Record due times: keys and their dues, both sorted by due, then key, NULL dues last. One event
-- per due time and 10,000 keys. More than 100 due times are put together by rank under the
-- earliest: the worker looks then, finds most of them due later, and lists them more finely, so
-- nothing is late. `again` in the detail: the rows were past their end before this write. `late`:
-- they, or some of them, are past it now.
CREATE FUNCTION lifecycle.scheduled_v1(
    p_policy text, p_model text, p_subjects lifecycle.subjects, p_dues timestamptz[],
    p_detail jsonb
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    total bigint := cardinality(p_dues);
    excepted boolean;
    chunk CONSTANT bigint := 10000;
    part record;
BEGIN
    IF to_regclass('@tables@.lifecycle_event') IS NULL THEN
        RETURN;  -- the package was removed
    END IF;
    excepted := NOT p_detail ? 'relisted' AND lifecycle.excepted_v1(p_policy);
    IF p_dues[1] IS NOT DISTINCT FROM p_dues[total] THEN
        FOR i IN 1..total BY chunk LOOP
            PERFORM lifecycle.schedule_part_v1(p_policy, p_model,
                lifecycle.slice_v1(p_subjects, i, least(i + chunk - 1, total)),
                least(chunk, total - i + 1), p_dues[1], p_detail, excepted);
        END LOOP;
        RETURN;
    END IF;
    FOR part IN
        WITH own AS (
            SELECT due, min(place) AS first, max(place) AS last
            FROM unnest(p_dues) WITH ORDINALITY AS listed (due, place) GROUP BY due
        ), ranked AS (
            SELECT *, CASE WHEN due IS NULL THEN -1
                           WHEN count(*) OVER () > 100 THEN (first - 1) * 100 / total
                           ELSE first END AS bucket
            FROM own
        ), grouped AS (
            SELECT min(due) AS due, min(first) AS first, max(last) AS last
            FROM ranked GROUP BY bucket
        )
        SELECT due, start AS first, least(start + chunk - 1, last) AS last
        FROM grouped, generate_series(first, last, chunk) AS start ORDER BY 2
    LOOP
        PERFORM lifecycle.schedule_part_v1(p_policy, p_model,
            lifecycle.sorted_v1(lifecycle.slice_v1(p_subjects, part.first, part.last)),
            part.last - part.first + 1, part.due, p_detail, excepted);
    END LOOP;
END $$
