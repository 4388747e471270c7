-- name: collect_keys
-- The keys of several entries, each once.
-- params: entries; parts: subjects (the column of the set)
SELECT count(*), array_agg(key)::text
FROM (
    SELECT DISTINCT key
    FROM lifecycle_agenda AS entry
    JOIN lifecycle_event AS event ON event.id = entry.event_id
    JOIN lifecycle_event AS owner ON owner.id = coalesce(event.basis, event.id)
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
-- params: entries; parts: subjects (the column of the set)
SELECT count(*), array_agg(key ORDER BY key)::text, array_agg(tombstone ORDER BY key)::text,
    array_agg(tombstoned_at ORDER BY key)::text
FROM (
    SELECT key, max(tombstone) AS tombstone, max(tombstoned_at) AS tombstoned_at
    FROM lifecycle_agenda AS entry
    JOIN lifecycle_event AS event ON event.id = entry.event_id
    JOIN lifecycle_event AS owner ON owner.id = coalesce(event.basis, event.id)
    CROSS JOIN LATERAL (
        SELECT unnest(owner.{subjects})
        UNION ALL
        SELECT k::text::{kind}
        FROM generate_series(lower(owner.subjects_range), upper(owner.subjects_range) - 1) AS k
    ) AS one (key)
    WHERE entry.event_id = ANY (%(entries)s) GROUP BY key
) AS subject

-- name: split
-- The first keys of a set, and the others in parts of some size.
-- params: keys, limit, size
SELECT keys[:%(limit)s]::text, ARRAY(
    SELECT keys[place:place + %(size)s - 1]::text
    FROM generate_series(%(limit)s + 1, cardinality(keys), %(size)s) AS place ORDER BY place)
FROM (SELECT %(keys)s::{kind}[]) AS t (keys)

-- name: relist_with_tombstones
-- List rows again, one event for each tombstone among them.
-- params: kind, policy, model, due, run, detail, keys; parts: subjects, tombstones
SELECT lifecycle.write_v1(%(kind)s, %(policy)s, %(model)s, lifecycle.sorted_v1({subjects}),
    count(*), NULL, %(due)s::timestamptz, %(run)s,
    %(detail)s::jsonb || CASE WHEN tombstone.tombstone IS NULL THEN '{{}}'
                              ELSE jsonb_build_object('tombstone', tombstone.tombstone) END, NULL)
FROM unnest(%(keys)s::{kind}[]) AS state (key)
{tombstones}
GROUP BY tombstone.tombstone

-- name: relist
-- List rows again, each at its time.
-- params: policy, model, dues, detail; parts: subjects
SELECT lifecycle.scheduled_v1(%(policy)s, %(model)s, {subjects}, %(dues)s::timestamptz[],
                              %(detail)s::jsonb)

-- name: claim
-- Lock what is due of one policy: one large entry, or as many small ones as fit into a batch, going by the size of
-- the first. No more than that: what is locked and not taken another worker would have to leave.
-- Outside the policy's hours, only what is to be tombstoned.
-- params: policy, now, since, seen, open, entries, rows; parts: lists_rows
WITH nearest AS MATERIALIZED (
    SELECT * FROM lifecycle_agenda AS entry
    WHERE policy = %(policy)s AND due_at <= %(now)s AND due_at >= %(since)s
    AND event_id <> ALL (%(seen)s::bigint[]) AND (%(open)s OR tombstone IS NULL)
    AND {lists_rows}
    ORDER BY due_at, event_id LIMIT 1 FOR UPDATE SKIP LOCKED
), others AS MATERIALIZED (
    SELECT * FROM lifecycle_agenda AS entry
    WHERE policy = %(policy)s AND due_at <= %(now)s AND due_at >= (SELECT due_at FROM nearest)
    AND event_id <> (SELECT event_id FROM nearest)
    AND event_id <> ALL (%(seen)s::bigint[]) AND (%(open)s OR tombstone IS NULL)
    AND {lists_rows}
    ORDER BY due_at, event_id
    LIMIT coalesce((SELECT least(%(entries)s, greatest(%(rows)s - count, 0) / greatest(count, 1)) FROM nearest), 0)
    FOR UPDATE SKIP LOCKED
), due AS (
    TABLE nearest UNION ALL TABLE others
), counted AS (
    SELECT *, sum(count) OVER (ORDER BY due_at, event_id) AS running,
        row_number() OVER (ORDER BY due_at, event_id) AS place
    FROM due
)
SELECT counted.event_id, counted.count, counted.attempts, owner.id, counted.tombstone,
    counted.tombstoned_at, lower(owner.subjects_range), upper(owner.subjects_range),
    counted.tombstone IS NOT NULL OR event.detail ? 'again'
        OR event.kind IN ('kept', 'restored', 'expired_by_hand', 'capture_failed')
        OR coalesce(event.detail ->> 'relisted' IN ('held', 'released', 'locked'), false),
    CASE WHEN event.detail ? 'reference'
         THEN jsonb_build_object('reference', event.detail -> 'reference',
                                 'erasure', coalesce(event.detail -> 'erasure', to_jsonb(event.id))) END
FROM counted
JOIN lifecycle_event AS event ON event.id = counted.event_id
JOIN lifecycle_event AS owner ON owner.id = coalesce(event.basis, event.id)
WHERE place = 1 OR running <= %(rows)s
ORDER BY place

-- name: unlisted
-- Of rows that are due later, those that no other agenda entry lists at exactly that time.
-- params: keys, dues, policy, entries
WITH later AS MATERIALIZED (
    SELECT * FROM unnest(%(keys)s::{kind}[], %(dues)s::timestamptz[]) AS later (key, due)
), listed AS MATERIALIZED (
    SELECT DISTINCT key::{kind} AS key, due_at
    FROM lifecycle_agenda, lifecycle.keys_v1(event_id) AS key
    WHERE policy = %(policy)s AND due_at IN (SELECT due FROM later)
    AND event_id <> ALL (%(entries)s)
)
SELECT count(*), array_agg(key ORDER BY due, key)::text, array_agg(due ORDER BY due, key)::text
FROM later WHERE NOT EXISTS (
    SELECT FROM listed WHERE listed.key = later.key AND listed.due_at = later.due)
