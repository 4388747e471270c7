-- name: delete
-- Delete rows that were locked and evaluated.
-- parts: rows
DELETE FROM {table} WHERE {rows}

-- name: is_left
-- Whether a row of the set is still there.
-- parts: rows
SELECT EXISTS (SELECT FROM {table} WHERE {rows})

-- name: is_back
-- Whether a row of the set is there again, because a trigger of the host has written it after it was
-- deleted. Where the table has no such trigger, none of the rows is looked for.
-- params: written; parts: rows
SELECT EXISTS (
    SELECT FROM pg_trigger
    WHERE NOT tgisinternal AND tgtype & 8 <> 0 AND NOT starts_with(tgname, 'pgtrigger_lc_')
    AND tgrelid IN (
        SELECT %(written)s::regclass UNION SELECT relid FROM pg_partition_tree(%(written)s::regclass))
) AND EXISTS (SELECT FROM {table} WHERE {rows})
