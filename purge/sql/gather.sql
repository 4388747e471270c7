-- The keys of several entries, each once, with the latest tombstone that any of them gives.
SELECT count(*), array_agg(key ORDER BY key)::text, array_agg(tombstone ORDER BY key)::text,
    array_agg(tombstoned_at ORDER BY key)::text
FROM (
    SELECT key::{kind} AS key, max(tombstone) AS tombstone, max(tombstoned_at) AS tombstoned_at
    FROM lifecycle_agenda, lifecycle.keys_v1(event_id) AS key
    WHERE event_id = ANY (%(entries)s) GROUP BY 1
) AS subject
