-- Whether a table is none that a policy can stand on: neither it nor the table that it is a partition of is
-- in the ledger's schema. The ledger names rows by model and key, so one table is all that a name can mean.
-- Each statement of a site asks it: names are qualified, as a SET clause would cost more than the question.
CREATE FUNCTION lifecycle.elsewhere_v1(p_table oid) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN NOT EXISTS (
        SELECT FROM pg_catalog.pg_class AS place
        WHERE place.oid OPERATOR(pg_catalog.=) coalesce(pg_catalog.pg_partition_root(p_table)::pg_catalog.oid, p_table)
        AND place.relnamespace OPERATOR(pg_catalog.=) '@tables@'::pg_catalog.regnamespace);
END $$
