-- name: write
-- Append what became of names of one field; no row is meant, so the event has no subjects.
-- params: kind, model, count, basis, due, run, detail, settled
SELECT lifecycle.write_v1(%(kind)s, '', %(model)s, NULL, %(count)s, %(basis)s, %(due)s::timestamptz, %(run)s,
    %(detail)s::jsonb, %(settled)s::bigint[])
