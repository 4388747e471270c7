-- name: collect_keys
-- The keys of several entries, each once.
SELECT count(*), array_agg(key)::text
FROM (
    SELECT DISTINCT key
    FROM lifecycle_agenda AS entry
    JOIN lifecycle_event AS told ON told.id = entry.event_id
    JOIN lifecycle_event AS owner ON owner.id = coalesce(told.basis, told.id)
    CROSS JOIN LATERAL (
        SELECT unnest(owner.{subjects})
        UNION ALL
        SELECT k::text::{kind}
        FROM generate_series(lower(owner.subjects_range), upper(owner.subjects_range) - 1) AS k
    ) AS one (key)
    WHERE entry.event_id = ANY (%(entries)s) ORDER BY key
) AS subject

-- name: collect_keys_and_tombstones
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

-- name: split
-- The first keys of a set, and the others in pieces.
SELECT keys[:%(limit)s]::text, ARRAY(
    SELECT keys[place:place + %(piece)s - 1]::text
    FROM generate_series(%(limit)s + 1, cardinality(keys), %(piece)s) AS place ORDER BY place)
FROM (SELECT %(keys)s::{kind}[]) AS t (keys)

-- name: relist_with_tombstones
-- List rows again, one event for each tombstone among them.
SELECT lifecycle.write_v1(%(kind)s, %(policy)s, %(model)s, lifecycle.sorted_v1({subjects}),
    count(*), NULL, %(due)s::timestamptz, %(run)s,
    %(detail)s::jsonb || CASE WHEN tombstone.tombstone IS NULL THEN '{{}}'
                              ELSE jsonb_build_object('tombstone', tombstone.tombstone) END, NULL)
FROM unnest(%(keys)s::{kind}[]) AS state (key)
{tombstones}
GROUP BY tombstone.tombstone

-- name: relist
-- List rows again, each at its time.
SELECT lifecycle.scheduled_v1(%(policy)s, %(model)s, {subjects}, %(dues)s::timestamptz[],
                              %(detail)s::jsonb)

-- name: claim
-- Lock what is due of one policy: one large entry, or as many small ones as fit into a batch.
-- Outside the policy's hours, only what is to be tombstoned.
WITH due AS MATERIALIZED (
    SELECT * FROM lifecycle_agenda
    WHERE policy = %(policy)s AND due_at <= %(now)s AND due_at >= %(since)s
    AND event_id <> ALL (%(seen)s::bigint[]) AND (%(open)s OR tombstone IS NULL)
    AND count > 0  -- the others are what people ask for: see overriding.py
    AND window_at IS NULL  -- windows list no rows: see sweep.py
    ORDER BY due_at, event_id LIMIT %(entries)s FOR UPDATE SKIP LOCKED
), counted AS (
    SELECT *, sum(count) OVER (ORDER BY due_at, event_id) AS running,
        row_number() OVER (ORDER BY due_at, event_id) AS place
    FROM due
)
SELECT counted.event_id, counted.count, counted.attempts, counted.tombstone,
    counted.tombstoned_at, owner.id, lower(owner.subjects_range), upper(owner.subjects_range),
    counted.tombstone IS NOT NULL OR told.detail ? 'again'
        OR told.kind IN ('kept', 'restored', 'expired_by_hand', 'capture_failed')
        OR coalesce(told.detail ->> 'relisted' IN ('held', 'released', 'locked'), false),
    CASE WHEN told.detail ? 'reference'
         THEN jsonb_build_object('reference', told.detail -> 'reference',
                                 'erasure', coalesce(told.detail -> 'erasure', to_jsonb(told.id))) END
FROM counted
JOIN lifecycle_event AS told ON told.id = counted.event_id
JOIN lifecycle_event AS owner ON owner.id = coalesce(told.basis, told.id)
WHERE place = 1 OR running <= %(rows)s
ORDER BY place
