-- name: installed
-- Everything that is installed in the database, triggers, functions and columns, as one text.
SELECT md5(concat(
    (SELECT string_agg(pg_trigger::text, ',' ORDER BY oid) FROM pg_trigger WHERE NOT tgisinternal),
    (SELECT string_agg(md5(pg_proc::text), ',' ORDER BY oid) FROM pg_proc WHERE oid >= 16384),
    (SELECT string_agg(concat_ws(' ', attrelid, attname, attnum, atttypid), ',' ORDER BY attrelid, attnum)
     FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
     WHERE relkind IN ('r', 'p') AND attnum > 0 AND relnamespace = 'public'::regnamespace)
))
