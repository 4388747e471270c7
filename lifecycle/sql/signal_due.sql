-- A row's key and when it ends by its own columns, as text; no line where the row is not there.
SELECT key::text, lifecycle.finite_v1(due::timestamptz)::text
FROM ({due_sql}) AS compiled WHERE key = %(key)s
