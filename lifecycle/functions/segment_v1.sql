-- What is to be known of the events between two numbers, to find those about a key: a line for each model. The sets
-- that they share with earlier events; the spans of integer keys that follow one another, twenty or more; and a filter
-- of all other keys, by their SHA-256, the same on every server: the first byte is 0, and three bytes of each follow,
-- sorted; or 1, and it is in 256 buckets by the first byte of the hash, see `may_hold_v1`.
CREATE FUNCTION lifecycle.segment_v1(p_first bigint, p_last bigint)
RETURNS TABLE (model text, bases bigint[], lows bigint[], highs bigint[], filter bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = on AS $$
    WITH event AS MATERIALIZED (
        SELECT * FROM @tables@.lifecycle_event AS event
        WHERE event.id >= p_first AND event.id <= p_last AND event.model <> '' AND event.count > 0
    ), part AS (
        SELECT event.model, k AS low, k AS high FROM event, unnest(event.subjects_bigint) AS k
        UNION ALL
        SELECT event.model, lower(event.subjects_range), upper(event.subjects_range) - 1 FROM event
        WHERE NOT isempty(event.subjects_range)
    ), reached AS (
        SELECT part.*, max(part.high) OVER (PARTITION BY part.model ORDER BY part.low, part.high
                                            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before FROM part
    ), numbered AS (
        SELECT reached.*, count(*) FILTER (WHERE CASE WHEN before IS NULL THEN true WHEN low <= before THEN false
                ELSE low - 1 > before END) OVER (PARTITION BY reached.model ORDER BY low, high) AS island FROM reached
    ), island AS (
        SELECT numbered.model, min(low) AS low, max(high) AS high FROM numbered GROUP BY numbered.model, island
    ), span AS (
        SELECT island.model, array_agg(low ORDER BY low) AS lows, array_agg(high ORDER BY low) AS highs FROM island
        WHERE high::numeric - low >= 19 GROUP BY 1
    ), hashed AS (
        SELECT DISTINCT other.model, substr(sha256(convert_to(other.key, 'UTF8')), 1, 3) AS hash
        FROM (SELECT island.model, k::text AS key FROM island, generate_series(low, high) AS k
              WHERE high::numeric - low < 19
              UNION ALL SELECT event.model, k::text FROM event, unnest(event.subjects_uuid) AS k
              UNION ALL SELECT event.model, k FROM event, unnest(event.subjects_text) AS k) AS other
    ), bucket AS (
        SELECT hashed.model, get_byte(hash, 0) AS number, count(*) AS keys, string_agg(hash, '' ORDER BY hash) AS whole,
            string_agg(substr(hash, 2), '' ORDER BY hash) AS rest
        FROM hashed GROUP BY 1, 2
    ), filled AS (
        SELECT known.model, number, coalesce(bucket.whole, '') AS whole, coalesce(bucket.rest, '') AS rest,
            sum(bucket.keys) OVER (PARTITION BY known.model ORDER BY number) AS place,
            sum(bucket.keys) OVER (PARTITION BY known.model) AS total
        FROM (SELECT DISTINCT bucket.model FROM bucket) AS known CROSS JOIN generate_series(0, 255) AS number
        LEFT JOIN bucket USING (model, number)
    ), filter AS (
        SELECT filled.model, CASE WHEN total < 1000 THEN '\x00'::bytea || string_agg(whole, '' ORDER BY number)
            ELSE '\x01'::bytea || string_agg(int4send(coalesce(place, 0)::int), '' ORDER BY number)
                || string_agg(rest, '' ORDER BY number) END AS filter
        FROM filled GROUP BY filled.model, total
    ), basis AS (
        SELECT event.model, array_agg(DISTINCT event.basis) AS bases FROM event WHERE event.basis IS NOT NULL GROUP BY 1
    )
    SELECT known.model, basis.bases, span.lows, span.highs, filter.filter
    FROM (SELECT DISTINCT event.model FROM event) AS known
    LEFT JOIN basis USING (model) LEFT JOIN span USING (model) LEFT JOIN filter USING (model)
$$
