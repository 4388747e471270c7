-- name: installed
-- Everything that is installed in the database, triggers, functions and columns, as one text.
SELECT md5(concat(
    (SELECT string_agg(pg_trigger::text, ',' ORDER BY oid) FROM pg_trigger WHERE NOT tgisinternal),
    (SELECT string_agg(md5(pg_proc::text), ',' ORDER BY oid) FROM pg_proc WHERE oid >= 16384),
    (SELECT string_agg(concat_ws(' ', attrelid, attname, attnum, atttypid), ',' ORDER BY attrelid, attnum)
     FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
     WHERE relkind IN ('r', 'p') AND attnum > 0 AND relnamespace = 'public'::regnamespace)
))

-- name: look
-- Whether a test has set the clock; which transactions have written what is installed; and the tables,
-- of these, that have pages: all that have rows, and those that had some and were not emptied since.
-- params: names
SELECT to_regclass('lifecycle.test_clock') IS NOT NULL, concat_ws(' ',
    (SELECT concat_ws(' ', count(*), sum(wrote.xmin::text::bigint), max(wrote.xmin::text::bigint))
     FROM pg_trigger AS wrote WHERE NOT tgisinternal),
    (SELECT concat_ws(' ', count(*), sum(wrote.xmin::text::bigint), max(wrote.xmin::text::bigint))
     FROM pg_proc AS wrote WHERE oid >= 16384),
    (SELECT concat_ws(' ', count(*), sum(wrote.xmin::text::bigint), max(wrote.xmin::text::bigint))
     FROM pg_attribute AS wrote WHERE attrelid >= 16384 AND attnum > 0)
), ARRAY(
    SELECT relname::text FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relname = ANY (%(names)s) AND CASE relkind
        WHEN 'r' THEN pg_relation_size(oid) > 0
        WHEN 'p' THEN (SELECT sum(pg_relation_size(relid)) > 0 FROM pg_partition_tree(pg_class.oid)) END
    ORDER BY 1
)
