-- name: write
-- One event of the runner about a set of rows.
-- params: kind, policy, model, count, basis, due, run, detail, settled; parts: subjects,
-- identities
SELECT lifecycle.write_v1(%(kind)s, %(policy)s, %(model)s, {subjects}, %(count)s, %(basis)s,
    %(due)s::timestamptz, %(run)s, %(detail)s::jsonb, %(settled)s::bigint[],
    {identities})

-- name: locked_keys
-- The keys of rows that are there, in order.
-- parts: key, rows
SELECT {key} FROM {table} WHERE {rows} ORDER BY {column}

-- name: latest_event
-- The latest number that the ledger has given out.
SELECT last_value FROM lifecycle_event_id_seq
