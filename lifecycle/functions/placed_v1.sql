-- Whether the table of a trigger is one that a policy can stand on: the opposite of `elsewhere_v1`, which is asked
-- about partitions alone. Each statement of a site asks it, so the planner has to write it into the trigger's own
-- expression: no SET clause, no subquery, names qualified.
CREATE FUNCTION lifecycle.placed_v1(p_table oid, p_schema name) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN pg_catalog.pg_partition_root(p_table) IS NULL
                THEN pg_catalog.quote_ident(p_schema) OPERATOR(pg_catalog.=) '@tables@'
                ELSE NOT lifecycle.elsewhere_v1(p_table) END
$$
