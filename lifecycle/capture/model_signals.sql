-- name: signal_failed
-- One saved row on which the policy's expression failed.
-- params: policy, model, kind, key, sqlstate
SELECT lifecycle.unevaluated_v1(%(policy)s::text, %(model)s::text, %(kind)s::text,
    {key}, %(sqlstate)s::text)

-- name: signal_saved
-- The due time of one saved row.
-- params: policy, model, kind, key, due, resolution, same
SELECT lifecycle.saved_v1(%(policy)s::text, %(model)s::text, %(kind)s::text, %(key)s::text,
    %(due)s::timestamptz, %(resolution)s::interval, %(same)s)

-- name: signal_due
-- A row's key and when it ends by its own columns, as text; no line where the row is not there.
-- params: key
SELECT {key}, lifecycle.finite_v1(due::timestamptz)::text
FROM ({due_sql}) AS compiled WHERE key = {given}

-- name: signal_deleted
-- One deleted row; the runner's own deletes say what they are.
-- params: model, kind, key
SELECT lifecycle.removed_v1(%(model)s::text, %(kind)s::text, {key})

-- name: signal_orphaned
-- What the DELETE trigger of a table's files would record of one instance.
-- params: model, field, name
SELECT lifecycle.unshown_v1(%(model)s, %(field)s, %(name)s)
