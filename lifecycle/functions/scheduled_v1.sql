-- Record due times: keys and their dues, both sorted by due, then key, NULL dues last. One event
-- per due time and 10,000 keys. More than 100 due times are put together by rank under the
-- earliest: the worker looks then, finds most of them due later, and lists them more finely, so
-- nothing is late. In the detail, `latest` is the latest of them. `again`: the rows were past their
-- end before this write. `late`: they, or some of them, are past it now. A NULL (the rows end no longer) is only worth an event
-- where it takes something back: an end that had passed, a restore, an expiry by hand.
CREATE FUNCTION lifecycle.scheduled_v1(
    p_policy text, p_model text, p_subjects lifecycle.subjects, p_dues timestamptz[],
    p_detail jsonb
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    total bigint := cardinality(p_dues);
    together CONSTANT boolean := p_dues[1] IS NOT DISTINCT FROM p_dues[total];
    excepted boolean;
    chunk CONSTANT bigint := 10000;
    dues timestamptz[] := ARRAY[p_dues[1]];
    latest timestamptz[] := dues;
    detail jsonb;
    firsts bigint[] := ARRAY[1];
    lasts bigint[] := ARRAY[total];
    part lifecycle.subjects;
BEGIN
    IF to_regclass('@tables@.lifecycle_event') IS NULL OR total = 0
       OR pg_sequence_last_value('lifecycle.in_use') IS NULL THEN
        RETURN;  -- the package was removed, there is nothing to record, or a dump is being restored
    END IF;
    -- A few rows that end together are asked for by their keys at once.
    excepted := NOT p_detail ? 'relisted' AND (together AND total <= 100 OR lifecycle.excepted_v1(p_policy));
    -- The parts: from which place to which, and when they end.
    IF together AND total > chunk THEN
        SELECT array_agg(p_dues[1]), array_agg(p_dues[1]), array_agg(start), array_agg(least(start + chunk - 1, total))
        INTO dues, latest, firsts, lasts FROM generate_series(1, total, chunk) AS start;
    ELSIF NOT together THEN
        WITH own AS (
            SELECT due, min(place) AS first, max(place) AS last
            FROM unnest(p_dues) WITH ORDINALITY AS listed (due, place) GROUP BY due
        ), ranked AS (
            SELECT *, CASE WHEN due IS NULL THEN -1
                           WHEN count(*) OVER () > 100 THEN (first - 1) * 100 / total
                           ELSE first END AS bucket
            FROM own
        ), grouped AS (
            SELECT min(due) AS due, max(due) AS latest, min(first) AS first, max(last) AS last
            FROM ranked GROUP BY bucket
        )
        SELECT array_agg(due ORDER BY start), array_agg(grouped.latest ORDER BY start), array_agg(start ORDER BY start),
            array_agg(least(start + chunk - 1, last) ORDER BY start)
        INTO dues, latest, firsts, lasts
        FROM grouped, generate_series(first, last, chunk) AS start;
    END IF;
    FOR i IN 1..cardinality(firsts) LOOP
        part := lifecycle.slice_v1(p_subjects, firsts[i], lasts[i]);
        IF NOT together THEN
            part := lifecycle.sorted_v1(part);
        END IF;
        detail := p_detail || CASE WHEN latest[i] > dues[i] THEN jsonb_build_object('latest', latest[i]) ELSE '{}' END;
        IF excepted AND lifecycle.touches_v1(p_policy, part) THEN
            PERFORM lifecycle.write_v1('expiry_scheduled', p_policy, p_model, part,
                lasts[i] - firsts[i] + 1, NULL, dues[i], NULL,
                detail || '{"again": true, "dropped": true}', NULL);
        ELSIF dues[i] IS NOT NULL OR p_detail ? 'again' THEN
            PERFORM lifecycle.write_v1('expiry_scheduled', p_policy, p_model, part,
                lasts[i] - firsts[i] + 1, NULL, dues[i], NULL, detail, NULL);
        END IF;
    END LOOP;
END $$
