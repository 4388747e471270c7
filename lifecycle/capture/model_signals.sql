-- name: signal_failed
-- One saved row on which the policy's expression failed.
-- params: policy, model, kind, key, sqlstate
SELECT lifecycle.capture_failed_v1(%(policy)s::text, %(model)s::text,
    lifecycle.one_v1(%(kind)s::text, %(key)s::{type}::text), %(sqlstate)s::text)

-- name: signal_saved
-- The due time of one saved row. One that is as it was before is listed again, for it may have come
-- past the signals; only a changed one takes back a restore or a tombstone.
-- params: policy, model, kind, key, due, resolution, same
SELECT lifecycle.scheduled_v1(%(policy)s::text, %(model)s::text,
    lifecycle.one_v1(%(kind)s::text, %(key)s::text),
    ARRAY[lifecycle.tick_v1(%(due)s::timestamptz, %(resolution)s::interval)],
    CASE WHEN %(same)s THEN '{{"relisted": "backfill"}}'::jsonb ELSE '{{"again": true}}' END)

-- name: signal_due
-- A row's key and when it ends by its own columns, as text; no line where the row is not there.
-- params: key
SELECT key::text, lifecycle.finite_v1(due::timestamptz)::text
FROM ({due_sql}) AS compiled WHERE key = %(key)s

-- name: signal_deleted
-- One deleted row; the runner's own deletes say what they are.
-- params: model, kind, key
SELECT lifecycle.ended_v1(%(model)s::text, lifecycle.one_v1(%(kind)s::text, %(key)s::{type}::text), 1)

-- name: signal_orphaned
-- What the DELETE trigger of a table's files would record of one instance.
-- params: model, field, names, grace
SELECT lifecycle.media_orphaned_v1(%(model)s, %(field)s, %(names)s, %(grace)s)
