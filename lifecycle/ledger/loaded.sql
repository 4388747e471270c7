-- name: lock_rows
-- Lock rows in key order, as an UPDATE of other columns would; their keys as the ledger writes them.
-- params: keys
SELECT {key} FROM {table} WHERE {pk} = ANY (%(keys)s::text[]::{type}[])
ORDER BY {pk} FOR NO KEY UPDATE

-- name: loaded
-- Rows that are back on purpose: their policies look at them now, and no tombstone of an earlier
-- life counts.
-- params: policy, model, count, detail
SELECT lifecycle.write_v1('loaded', %(policy)s::text, %(model)s::text,
    lifecycle.sorted_v1({subjects}), %(count)s::bigint, NULL, lifecycle.now_v1(), NULL,
    %(detail)s::jsonb, NULL)
