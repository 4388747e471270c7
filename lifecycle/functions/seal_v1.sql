-- Give events the next indexes of a log, with their leaves and salts, and note how far the sealer has come. Refused
-- where the log has another size than `p_first`: indexes have no gap, and none is given twice.
CREATE FUNCTION lifecycle.seal_v1(
    p_log int, p_first bigint, p_events bigint[], p_leaves bytea, p_salts bytea,
    p_frontier bytea, p_last_event bigint, p_gaps jsonb
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    total CONSTANT int := cardinality(p_events);
BEGIN
    IF octet_length(p_leaves) <> 32 * total OR octet_length(p_salts) <> 16 * total THEN
        RAISE EXCEPTION 'lifecycle: % events have other numbers of leaves or salts', total;
    END IF;
    UPDATE @tables@.lifecycle_log SET size = size + total, frontier = p_frontier, last_event = p_last_event, gaps = p_gaps
        WHERE incarnation = p_log AND size = p_first;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'lifecycle: the log % has not the size %', p_log, p_first;
    END IF;
    IF total > 0 THEN
        INSERT INTO @tables@.lifecycle_seal (log, first, count, lowest, highest, events, leaves, salts, sealed_at)
        SELECT p_log, p_first, total, min(number), max(number), p_events, p_leaves, p_salts, lifecycle.now_v1()
        FROM unnest(p_events) AS number;
    END IF;
END $$
