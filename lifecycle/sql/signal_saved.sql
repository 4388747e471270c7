-- The due time of one saved row. "again" because the row as it was before is not known.
SELECT lifecycle.scheduled_v1(%(policy)s::text, %(model)s::text,
    lifecycle.one_v1(%(kind)s::text, key::text),
    ARRAY[lifecycle.tick_v1(lifecycle.finite_v1(due::timestamptz), %(resolution)s::interval)],
    '{{"again": true}}')
FROM ({due_sql}) AS compiled WHERE key = %(key)s
