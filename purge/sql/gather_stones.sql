-- The keys of several entries, each once, with the latest tombstone that any of them gives.
SELECT count(*), array_agg(key ORDER BY key)::text, array_agg(tombstone ORDER BY key)::text,
    array_agg(tombstoned_at ORDER BY key)::text
FROM (
    SELECT key, max(tombstone) AS tombstone, max(tombstoned_at) AS tombstoned_at
    FROM lifecycle_agenda AS entry
    JOIN lifecycle_event AS told ON told.id = entry.event_id
    JOIN lifecycle_event AS owner ON owner.id = coalesce(told.basis, told.id)
    CROSS JOIN LATERAL (
        SELECT unnest(owner.{subjects})
        UNION ALL
        SELECT k::text::{kind}
        FROM generate_series(lower(owner.subjects_range), upper(owner.subjects_range) - 1) AS k
    ) AS one (key)
    WHERE entry.event_id = ANY (%(entries)s) GROUP BY key
) AS subject
