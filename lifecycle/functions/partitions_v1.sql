-- The partitions of the table of a policy that ends rows with them (`capture=Partitions()`), by the catalogue, and why
-- one of them, or any, cannot go: `problem` is '' where it can. `until` is the upper bound of its rows' times, `due` when
-- the last row that it could have is past its end; NULL where that is never. Of times without a zone it is when it is past
-- in every zone. One line, without a partition, where the table has none or is not as the policy says.
CREATE FUNCTION lifecycle.partitions_v1(p_policy text) RETURNS TABLE (
    root oid, place oid, name text, low text, high text, until timestamptz, due timestamptz, estimate bigint, problem text
)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO, YMD'
SET quote_all_identifiers = off AS $$
    WITH declared AS MATERIALIZED (
        SELECT to_regclass('@tables@.' || quote_ident(partitioned ->> 'table'))::oid AS root,
            partitioned ->> 'column' AS by_column, make_interval(secs => (partitioned ->> 'seconds')::float) AS age
        FROM @tables@.lifecycle_policy WHERE lifecycle_policy.name = p_policy AND partitioned IS NOT NULL
    ), owner AS MATERIALIZED (
        SELECT relowner AS oid FROM pg_class WHERE pg_class.oid = '@tables@.lifecycle_event'::regclass
    ), columns AS MATERIALIZED (
        SELECT declared.*, atttypid, CASE
            WHEN declared.root IS NULL THEN 'missing'
            WHEN relkind <> 'p' THEN 'not_partitioned'
            WHEN relispartition THEN 'subpartitioned'
            WHEN partstrat <> 'r' OR partnatts <> 1 OR attname IS DISTINCT FROM by_column THEN 'other_key'
            WHEN atttypid NOT IN ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype) THEN 'other_type'
            END AS problem
        FROM declared LEFT JOIN pg_class ON pg_class.oid = declared.root
        LEFT JOIN pg_partitioned_table ON partrelid = declared.root
        LEFT JOIN pg_attribute ON attrelid = declared.root AND attnum = partattrs[0] AND attnum > 0
    ), places AS (
        SELECT columns.*, inhrelid AS place, coalesce(inhdetachpending, false) AS detaching, part.relkind,
            pg_get_expr(part.relpartbound, part.oid) AS bound, greatest(part.reltuples, 0)::bigint AS estimate
        FROM columns LEFT JOIN pg_inherits ON inhparent = root AND problem IS NULL
        LEFT JOIN pg_class AS part ON part.oid = inhrelid
    ), bounds AS (
        SELECT places.*, said[1] AS low, said[2] AS high
        FROM places LEFT JOIN LATERAL regexp_match(bound,
            '^FOR VALUES FROM \((?:MINVALUE|''([^'']+)'')\) TO \((?:MAXVALUE|''([^'']+)'')\)$') AS said ON true
    ), times AS (
        SELECT bounds.*, CASE WHEN high ~ '^[0-9]' AND high !~ '^[0-9]{5}' THEN high::timestamptz END AS until,
            CASE WHEN atttypid = 'timestamptz'::regtype THEN interval '0' ELSE interval '12 hours' END AS elsewhere
        FROM bounds
    )
    SELECT times.root, times.place, times.place::regclass::text, times.low, times.high, times.until,
        times.until + times.elsewhere + times.age, times.estimate,
        coalesce(times.problem, CASE
            WHEN times.place IS NULL THEN 'no_partitions'
            WHEN bound = 'DEFAULT' THEN 'default'
            WHEN detaching THEN 'detaching'
            WHEN relkind = 'p' THEN 'subpartitioned'
            WHEN relkind <> 'r' THEN 'foreign'
            WHEN bound !~ '^FOR VALUES FROM ' THEN 'other_bounds'
            WHEN EXISTS (SELECT FROM pg_constraint WHERE contype = 'f' AND confrelid IN (times.root, times.place))
                THEN 'referenced'
            WHEN EXISTS (SELECT FROM pg_trigger WHERE tgrelid IN (times.root, times.place)
                AND NOT tgisinternal AND tgtype & 40 <> 0)  -- of DELETE, of TRUNCATE
                OR EXISTS (SELECT FROM pg_rewrite WHERE ev_class IN (times.root, times.place) AND ev_type = '4')
                THEN 'delete_trigger'
            WHEN NOT (SELECT bool_and(pg_has_role(owner.oid, relowner, 'USAGE')) FROM pg_class, owner
                WHERE pg_class.oid IN (times.root, times.place)) THEN 'not_owner'
            ELSE '' END)
    FROM times
$$
