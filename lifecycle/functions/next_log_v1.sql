-- Begin the next log of the ledger, and close the one before at a size up to which both are the same: what it has
-- sealed beyond is given back, for the next one to seal. Refused where another log is in use than that before.
CREATE FUNCTION lifecycle.next_log_v1(p_before int, p_size bigint, p_frontier bytea, p_incarnation int, p_origin text)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF p_before <> (SELECT max(incarnation) FROM @tables@.lifecycle_log) OR p_incarnation <= p_before THEN
        RAISE EXCEPTION 'lifecycle: the log % is not the one in use', p_before;
    END IF;
    PERFORM lifecycle.cut_log_v1(p_before, p_size, p_frontier);
    UPDATE @tables@.lifecycle_log SET alarm = '{}' WHERE incarnation = p_before;
    PERFORM lifecycle.open_log_v1(p_incarnation, p_origin);
END $$
