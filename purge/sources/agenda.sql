-- name: collect_keys
-- The keys of several entries, each once. Read set by set: an entry of one row is as cheap as a row.
-- params: entries; parts: owners
WITH owner AS MATERIALIZED (
    {owners}
)
SELECT count(*), array_agg(key)::text
FROM (
    SELECT DISTINCT key FROM (
        SELECT unnest(keys) AS key FROM owner
        UNION ALL
        SELECT generate_series(lower(span), upper(span) - 1)::text::{kind} FROM owner WHERE span IS NOT NULL
    ) AS one ORDER BY key
) AS subject

-- name: collect_keys_and_tombstones
-- The keys of several entries, each once, with the latest tombstone that any of them gives.
-- params: entries; parts: owners
WITH owner AS MATERIALIZED (
    {owners}
)
SELECT count(*), array_agg(key ORDER BY key)::text, array_agg(tombstone ORDER BY key)::text,
    array_agg(tombstoned_at ORDER BY key)::text
FROM (
    SELECT key, max(tombstone) AS tombstone, max(tombstoned_at) AS tombstoned_at
    FROM (
        SELECT event_id, unnest(keys) AS key FROM owner
        UNION ALL
        SELECT event_id, generate_series(lower(span), upper(span) - 1)::text::{kind}
        FROM owner WHERE span IS NOT NULL
    ) AS one JOIN ONLY lifecycle_agenda AS entry ON entry.event_id = one.event_id GROUP BY key
) AS subject

-- name: owners
-- A part of the two others: the set of each entry, its own or that of the event it shares it with.
-- params: entries; parts: subjects (the column of the set)
WITH listed AS MATERIALIZED (
    SELECT id, basis, {subjects} AS keys, subjects_range AS span FROM lifecycle_event WHERE id = ANY (%(entries)s::bigint[])
)
SELECT id AS event_id, keys, span FROM listed WHERE basis IS NULL
UNION ALL
SELECT listed.id, owner.{subjects}, owner.subjects_range
FROM listed CROSS JOIN LATERAL (
    SELECT * FROM lifecycle_event WHERE id = listed.basis OFFSET 0
) AS owner WHERE listed.basis IS NOT NULL

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

-- name: told
-- A part of the two others: what the event of an entry says of it. `entry` and `event` are there.
coalesce(event.basis, event.id) AS owner,
        entry.tombstone IS NOT NULL OR event.detail ? 'again'
            OR event.kind IN ('kept', 'restored', 'expired_by_hand', 'capture_failed')
            OR coalesce(event.detail ->> 'relisted' IN ('held', 'released', 'locked', 'group'), false) AS relisted,
        CASE WHEN event.detail ? 'reference'
             THEN jsonb_build_object('reference', event.detail -> 'reference',
                                     'erasure', coalesce(event.detail -> 'erasure', to_jsonb(event.id))) END AS request

-- name: claim_first
-- Lock the entry that is due first; nothing where none is. Asked before `claim`, which is planned for longer than a large
-- entry takes to be claimed.
-- params: policy, now, since, seen, open; parts: lists_rows, told
WITH entry AS MATERIALIZED (
    SELECT event_id, count, attempts, tombstone, tombstoned_at FROM ONLY lifecycle_agenda AS entry
    WHERE policy = %(policy)s AND due_at <= %(now)s AND due_at >= %(since)s
    AND event_id <> ALL (%(seen)s::bigint[]) AND (%(open)s OR tombstone IS NULL)
    AND {lists_rows}
    ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED
), told AS MATERIALIZED (
    SELECT entry.*, {told}
    FROM entry JOIN lifecycle_event AS event ON event.id = entry.event_id
)
SELECT ARRAY[event_id]::text, 1, told.count, attempts, owner, tombstone, tombstoned_at,
    lower(subjects_range), upper(subjects_range), relisted, NULL, 0, request
FROM told JOIN lifecycle_event AS event ON event.id = owner

-- name: claim
-- Lock what is due of one policy: one large entry, or as many small ones as fit into a batch, going by the size of
-- the first; a line for each tombstone that they give. No more than that: what is locked and not taken another
-- worker would have to leave. Outside the policy's hours, only what is to be tombstoned. A row
-- that is erased on request ends in a batch of its own, for its receipt: entries from there on stay on the
-- agenda as they are. Which of several that are due at one moment come first does not matter; that they
-- need not be sorted, and not be added up where all of them fit, does where each lists one row. Events are
-- probed by their numbers (OFFSET 0): a planner that takes entries for few would read all of them for each.
-- params: policy, now, since, seen, open, entries, rows; parts: lists_rows, told, subjects (the column of the set)
WITH nearest AS MATERIALIZED (
    SELECT event_id, due_at, count, attempts, tombstone, tombstoned_at FROM ONLY lifecycle_agenda AS entry
    WHERE policy = %(policy)s AND due_at <= %(now)s AND due_at >= %(since)s
    AND event_id <> ALL (%(seen)s::bigint[]) AND (%(open)s OR tombstone IS NULL)
    AND {lists_rows}
    ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED
), others AS MATERIALIZED (
    SELECT event_id, due_at, count, attempts, tombstone, tombstoned_at FROM ONLY lifecycle_agenda AS entry
    WHERE policy = %(policy)s AND due_at <= %(now)s AND due_at >= (SELECT due_at FROM nearest)
    AND event_id <> (SELECT event_id FROM nearest)
    AND event_id <> ALL (%(seen)s::bigint[]) AND (%(open)s OR tombstone IS NULL)
    AND {lists_rows}
    ORDER BY due_at
    LIMIT coalesce((SELECT least(%(entries)s, greatest(%(rows)s - count, 0) / greatest(count, 1)) FROM nearest), 0)
    FOR UPDATE SKIP LOCKED
), due AS MATERIALIZED (
    TABLE nearest UNION ALL TABLE others
), summed AS MATERIALIZED (
    SELECT sum(count) AS count FROM due
), fitting AS (
    SELECT * FROM due WHERE (SELECT count FROM summed) <= %(rows)s
    UNION ALL
    SELECT event_id, due_at, count, attempts, tombstone, tombstoned_at FROM (
        SELECT *, row_number() OVER in_order AS place, sum(count) OVER in_order AS running
        FROM due WHERE (SELECT count FROM summed) > %(rows)s
        WINDOW in_order AS (ORDER BY due_at, event_id ROWS UNBOUNDED PRECEDING)
    ) AS counted WHERE place = 1 OR running <= %(rows)s
), told AS MATERIALIZED (
    SELECT entry.*,
        CASE WHEN cardinality(event.{subjects}) = 1 AND event.basis IS NULL THEN event.{subjects}[1] END AS key,
        {told}
    FROM fitting AS entry CROSS JOIN LATERAL (
        SELECT id, kind, basis, detail, {subjects} FROM lifecycle_event
        WHERE lifecycle_event.id = entry.event_id OFFSET 0
    ) AS event
), asked AS MATERIALIZED (
    SELECT due_at, event_id FROM told WHERE request IS NOT NULL ORDER BY due_at, event_id LIMIT 1
), before AS (
    SELECT * FROM told WHERE NOT EXISTS (SELECT FROM asked)
    OR (due_at, event_id) < (SELECT due_at, event_id FROM asked)
), claimed AS (
    SELECT * FROM before
    UNION ALL
    SELECT * FROM told WHERE event_id = (SELECT event_id FROM asked) AND NOT EXISTS (SELECT FROM before)
), grouped AS (
    SELECT array_agg(event_id)::text AS events, count(*) AS entries, sum(count)::bigint AS count,
        max(attempts) AS attempts, min(owner) AS owner, tombstone, tombstoned_at, bool_or(relisted) AS relisted, (array_agg(request))[1] AS request,
        CASE WHEN count(*) > 1 AND count(*) = count(key) THEN array_agg(DISTINCT key) END AS keys
    FROM claimed GROUP BY tombstone, tombstoned_at
)
SELECT events, entries, grouped.count, attempts, owner, tombstone, tombstoned_at, lower(subjects_range), upper(subjects_range),
    relisted, keys::text, coalesce(cardinality(keys), 0), request
FROM grouped CROSS JOIN LATERAL (
    SELECT subjects_range FROM lifecycle_event WHERE id = grouped.owner OFFSET 0
) AS event

-- name: unlisted
-- Of rows that are due later, those that no other agenda entry lists at exactly that time.
-- params: keys, dues, policy, entries
WITH later AS MATERIALIZED (
    SELECT * FROM unnest(%(keys)s::{kind}[], %(dues)s::timestamptz[]) AS later (key, due)
), listed AS MATERIALIZED (
    SELECT DISTINCT key::{kind} AS key, due_at
    FROM lifecycle_agenda, lifecycle.keys_v1(event_id) AS key
    WHERE policy = %(policy)s AND due_at IN (SELECT due FROM later)
    AND event_id <> ALL (%(entries)s::bigint[])
)
SELECT count(*), array_agg(key ORDER BY due, key)::text, array_agg(due ORDER BY due, key)::text
FROM later WHERE NOT EXISTS (
    SELECT FROM listed WHERE listed.key = later.key AND listed.due_at = later.due)
