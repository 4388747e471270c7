-- Whether a table is none that a policy can stand on: neither it nor the table that it is a partition of is
-- in the ledger's schema. The ledger names rows by model and key, so one table is all that a name can mean.
CREATE FUNCTION lifecycle.elsewhere_v1(p_table oid) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN NOT EXISTS (
        SELECT FROM pg_class WHERE oid = coalesce(pg_partition_root(p_table)::oid, p_table)
        AND relnamespace = '@tables@'::regnamespace);
END $$
