-- The due time of one saved row. One that is as it was before is listed again, for it may have come
-- past the signals; only a changed one takes back a restore or a tombstone.
SELECT lifecycle.scheduled_v1(%(policy)s::text, %(model)s::text,
    lifecycle.one_v1(%(kind)s::text, %(key)s::text),
    ARRAY[lifecycle.tick_v1(%(due)s::timestamptz, %(resolution)s::interval)],
    CASE WHEN %(same)s THEN '{{"carried": "backfill"}}'::jsonb ELSE '{{"again": true}}' END)
