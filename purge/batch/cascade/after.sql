-- name: is_left
-- Whether a row of the set is still there.
-- parts: rows
SELECT EXISTS (SELECT FROM {table} WHERE {rows})

-- name: after
-- Whether a trigger of the host may have written a row again as it was deleted; and the tables from which
-- this session takes rows without a trigger of ours.
-- params: written, names, tables
SELECT EXISTS (
    SELECT FROM pg_trigger
    WHERE NOT tgisinternal AND tgtype & 8 <> 0 AND NOT starts_with(tgname, 'pgtrigger_lc_')
    AND tgrelid IN (
        SELECT %(written)s::regclass UNION SELECT relid FROM pg_partition_tree(%(written)s::regclass))
), ARRAY(
    SELECT given.name FROM unnest(%(names)s::text[], %(tables)s::text[]) AS given (name, written)
    WHERE lifecycle.unrecorded_v1(to_regclass(given.written)) ORDER BY 1)
