-- Begin a log of the ledger under a new origin. False where there is one of this number.
CREATE FUNCTION lifecycle.open_log_v1(p_incarnation int, p_origin text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO @tables@.lifecycle_log (incarnation, origin, began_at, size, frontier, last_event, gaps, shipped, edge,
        checkpoint, witnessed, alarm, farewell)
    VALUES (p_incarnation, p_origin, lifecycle.now_v1(), 0, '', 0, '[]', 0, '', '', '{}', '{}', '')
    ON CONFLICT DO NOTHING;
    RETURN FOUND;
END $$
