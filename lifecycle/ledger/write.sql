-- name: lock_row
-- Lock one row as an UPDATE of other columns would: a purge waits or skips it, readers do not.
-- Also whether it is one of another table than policies stand on.
-- params: key
SELECT {key}, lifecycle.elsewhere_v1(tableoid) FROM {table} WHERE {pk} = {given} FOR NO KEY UPDATE

-- name: write_one
-- One event about one row, or about none.
-- params: kind, policy, model, type, key, detail
SELECT lifecycle.record_v1(%(kind)s::text, %(policy)s::text, %(model)s::text,
    lifecycle.one_v1(%(type)s::text, %(key)s::text), %(detail)s::jsonb)
