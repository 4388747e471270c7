-- Lock the partition of a policy's table whose rows' times end at `p_until`, and say why it cannot go; '' where it can.
-- Until the transaction ends nobody writes into it, nobody locks a row of it (a hold waits), and all may read. Where it
-- cannot go it may be locked all the same. Rows, and what is said of them, are looked at after the lock.
CREATE FUNCTION lifecycle.take_partition_v1(p_policy text, p_until timestamptz) RETURNS TABLE (
    root oid, place oid, name text, low text, high text, problem text
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 1 AS $$
DECLARE
    part record;
    again record;
BEGIN
    SELECT * INTO part FROM lifecycle.partitions_v1(p_policy) AS one WHERE one.until = p_until;
    IF NOT FOUND THEN
        RETURN QUERY SELECT NULL::oid, NULL::oid, NULL::text, NULL::text, NULL::text, 'gone'::text;
        RETURN;
    END IF;
    IF part.problem = '' AND (part.due <= lifecycle.now_v1()) IS NOT TRUE THEN
        part.problem := 'not_due';
    END IF;
    IF part.problem = '' THEN
        EXECUTE format('LOCK TABLE ONLY %s IN EXCLUSIVE MODE', part.name);
        -- Before the lock it may have been detached, renamed, or another one have come under its name.
        SELECT * INTO again FROM lifecycle.partitions_v1(p_policy) AS one WHERE one.until = p_until;
        IF NOT FOUND OR (again.place, again.name, again.high, again.problem, again.due)
            IS DISTINCT FROM (part.place, part.name, part.high, part.problem, part.due) THEN
            part.problem := 'changed';
        END IF;
    END IF;
    RETURN QUERY SELECT part.root, part.place, part.name, part.low, part.high, part.problem;
END $$
