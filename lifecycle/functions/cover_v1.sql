-- Cover the next piece of the ledger by segments, up to an event at most: 10,000 events, or fewer with 20,000 keys
-- that stand in arrays. Returns the last event covered; NULL where there is no whole piece yet. Whoever calls sees to
-- it that no session still writes an event with a number up to there: see `lifecycle/ledger/segments.py`.
CREATE FUNCTION lifecycle.cover_v1(p_upto bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
    start bigint;
    final bigint;
    whole boolean;
BEGIN
    LOCK TABLE @tables@.lifecycle_segment IN SHARE ROW EXCLUSIVE MODE NOWAIT;
    start := (SELECT coalesce(max(covered.last), 0) + 1 FROM @tables@.lifecycle_segment AS covered WHERE model = '');
    SELECT max(id) FILTER (WHERE place = 1 OR running <= 20000), max(place) = 10000 OR max(running) > 20000
    INTO final, whole FROM (
        SELECT id, row_number() OVER (ORDER BY id) AS place, sum(listed) OVER (ORDER BY id) AS running
        FROM (SELECT event.id, CASE WHEN event.basis IS NULL AND event.subjects_range IS NULL THEN event.count ELSE 0 END
                  AS listed
              FROM @tables@.lifecycle_event AS event
              WHERE event.id >= start AND event.id <= p_upto ORDER BY event.id LIMIT 10000) AS next) AS counted;
    IF whole IS NOT TRUE THEN
        RETURN NULL;
    END IF;
    INSERT INTO @tables@.lifecycle_segment (model, first, last, bases, lows, highs, filter, days)
    SELECT one.model, start, final, one.bases, one.lows, one.highs, one.filter, NULL
    FROM lifecycle.segment_v1(start, final) AS one
    UNION ALL
    SELECT '', start, final, NULL, NULL, NULL, NULL, lifecycle.days_v1(start, final);
    RETURN final;
END $$
