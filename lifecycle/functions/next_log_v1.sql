-- Begin the next log of the ledger, and close the one before at a size up to which both are the same: what it has
-- sealed beyond is given back, for the next one to seal. Refused where another log is in use than that before.
CREATE FUNCTION lifecycle.next_log_v1(p_before int, p_size bigint, p_frontier bytea, p_incarnation int, p_origin text)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF p_before <> (SELECT max(incarnation) FROM @tables@.lifecycle_log) OR p_incarnation <= p_before THEN
        RAISE EXCEPTION 'lifecycle: the log % is not the one in use', p_before;
    END IF;
    DELETE FROM @tables@.lifecycle_seal WHERE log = p_before AND first >= p_size;
    UPDATE @tables@.lifecycle_seal AS seal SET count = kept.count, events = seal.events[1:kept.count],
        leaves = substr(seal.leaves, 1, 32 * kept.count), salts = substr(seal.salts, 1, 16 * kept.count)
    FROM (SELECT id, (p_size - first)::int AS count FROM @tables@.lifecycle_seal
          WHERE log = p_before AND first + count > p_size) AS kept
    WHERE seal.id = kept.id;
    UPDATE @tables@.lifecycle_log SET size = p_size, frontier = p_frontier, shipping = NULL, alarm = '{}'
        WHERE incarnation = p_before;
    PERFORM lifecycle.open_log_v1(p_incarnation, p_origin);
END $$
