-- name: chunk
-- The next endings of a table, newest first: their numbers, how many rows they had.
-- params: model, below, names, since, policies, rows
SELECT array_agg(id), min(id), coalesce(sum(count), 0)::bigint FROM (
    SELECT id, count, sum(count) OVER (ORDER BY id DESC) - count AS before FROM (
        SELECT id, count FROM lifecycle_event
        WHERE kind {kinds} AND model = %(model)s AND id < %(below)s
        AND coalesce(detail ->> 'identity', '') = %(names)s AND recorded_at >= %(since)s
        AND (%(policies)s::text[] IS NULL OR policy = ANY (%(policies)s::text[]))
        ORDER BY id DESC LIMIT 10000) AS newest
) AS counted WHERE before < %(rows)s

-- name: find
-- Store the rows found for one chunk. Of several endings of a key the last counts, or the last one
-- whose identity the row has.
-- params: run, model, updates, names, those of search
WITH found AS MATERIALIZED (
    {search}
)
INSERT INTO purge_resurrected
    (run, model, key, updates, event, kind, policy, recorded_at, names, same, identity, proven)
SELECT DISTINCT ON (key) %(run)s, %(model)s, key, %(updates)s, event, ended.kind, ended.policy,
    ended.recorded_at, %(names)s, same, identity, false
FROM found JOIN lifecycle_event AS ended ON ended.id = found.event
ORDER BY key, coalesce(same, false) DESC, event DESC
ON CONFLICT (run, model, key, updates) DO UPDATE
    SET event = EXCLUDED.event, kind = EXCLUDED.kind, policy = EXCLUDED.policy,
        recorded_at = EXCLUDED.recorded_at, names = EXCLUDED.names, same = EXCLUDED.same,
        identity = EXCLUDED.identity
    WHERE (coalesce(EXCLUDED.same, false), EXCLUDED.event)
        > (coalesce(purge_resurrected.same, false), purge_resurrected.event)

-- name: counts
-- Rows found of a table: all, those with an update to repeat, those that later writes decide on.
-- params: run, model
SELECT count(*), count(*) FILTER (WHERE updates <> ''),
    count(*) FILTER (WHERE same IS NOT false)
FROM purge_resurrected WHERE run = %(run)s AND model = %(model)s

-- name: keys_of_owner
-- The keys of an event, `owner`, in the type that the ledger has for its table: a part of statements over many events,
-- for which a function that is called for each would take too long.
SELECT unnest(owner.{subjects}) AS key
UNION ALL
SELECT k::text::{kind} FROM generate_series(lower(owner.subjects_range), upper(owner.subjects_range) - 1) AS k

-- name: mark
-- Store the last later events of the keys that were found: loaded or restored on purpose, ended
-- otherwise, written by the site.
-- params: run, model; parts: condition, keys_of_owner
WITH since AS (
    SELECT min(event) AS event FROM purge_resurrected WHERE run = %(run)s AND model = %(model)s
), later AS (
    SELECT id, kind, CASE WHEN basis IS NULL THEN id ELSE basis END AS owner
    FROM lifecycle_event
    WHERE model = %(model)s AND id > (SELECT event FROM since) AND {condition}
), keyed AS (
    SELECT key::text AS key,
        max(later.id) FILTER (WHERE later.kind IN ('loaded', 'restored')) AS spared,
        max(later.id) FILTER (WHERE later.kind IN ('deleted', 'purged')) AS ended,
        max(later.id) FILTER (WHERE later.kind IN ('expiry_scheduled', 'capture_failed')) AS written
    FROM later JOIN lifecycle_event AS owner ON owner.id = later.owner
    CROSS JOIN LATERAL ({keys_of_owner}) AS subject
    GROUP BY 1
)
UPDATE purge_resurrected AS found SET spared = coalesce(keyed.spared, found.spared),
    ended = greatest(keyed.ended, found.ended, (SELECT max(id) FROM lifecycle_event
        WHERE kind = 'truncated' AND lifecycle_event.model = %(model)s)), written = coalesce(keyed.written, found.written)
FROM keyed WHERE found.run = %(run)s AND found.model = %(model)s AND found.key = keyed.key

-- name: prove
-- After a recovery: rows under keys that had a row when the backup was made, by events from before it, and of which no
-- row has gone since the restore, are those that the backup has brought back, whatever their columns say.
-- Untouched: nobody has written a row since the restore, so that every row is one of the backup's.
-- params: run, model, log, kept, size, top, untouched, seen; parts: keys_of_owner
WITH missing AS MATERIALIZED (
    SELECT unnest(seal.events[greatest(%(kept)s - seal.first, 0) + 1 : least(%(size)s - seal.first, seal.count)]) AS id
    FROM lifecycle_seal AS seal WHERE seal.log = %(log)s AND seal.first < %(size)s AND seal.first + seal.count > %(kept)s
), told AS (
    SELECT event.id, coalesce(event.basis, event.id) AS owner, event.id > %(top)s AS since,
        event.kind IN ('deleted', 'purged') AS gone
    FROM lifecycle_event AS event
    WHERE event.model = %(model)s AND (event.id > %(top)s OR event.id NOT IN (SELECT id FROM missing))
    AND event.kind IN ('deleted', 'purged', 'expiry_scheduled', 'tombstoned', 'kept', 'updated', 'restored', 'loaded',
        'hold_placed', 'capture_failed')
    AND event.detail ->> 'relisted' IS DISTINCT FROM 'gathered'
), keyed AS (
    SELECT key::text AS key, max(told.id) FILTER (WHERE NOT told.since AND NOT told.gone) AS there,
        max(told.id) FILTER (WHERE NOT told.since AND told.gone) AS gone,
        coalesce(bool_or(told.since AND told.gone), false) AS gone_since
    FROM told JOIN lifecycle_event AS owner ON owner.id = told.owner
    CROSS JOIN LATERAL ({keys_of_owner}) AS subject
    GROUP BY 1
), emptied AS (
    SELECT coalesce(max(id) FILTER (WHERE id <= %(top)s AND id NOT IN (SELECT id FROM missing)), 0) AS before,
        coalesce(bool_or(id > %(top)s), false) AS since
    FROM lifecycle_event WHERE model = %(model)s AND kind = 'truncated'
)
UPDATE purge_resurrected AS found SET same = true, proven = true
WHERE found.run = %(run)s AND found.model = %(model)s AND found.event IN (SELECT id FROM missing)
AND (%(untouched)s OR %(seen)s AND found.key IN (
    SELECT keyed.key FROM keyed, emptied WHERE NOT keyed.gone_since AND NOT emptied.since
    AND keyed.there > greatest(keyed.gone, emptied.before)))

-- name: absent
-- How many rows have ended and were not found again, by table, kind and policy.
-- params: run, since, policies
SELECT model, kind, policy, greatest(0, ended.rows - coalesce(back.rows, 0))::bigint
FROM (
    SELECT model, kind, policy, sum(count) AS rows FROM lifecycle_event
    WHERE kind IN ('deleted', 'purged', 'updated') AND recorded_at >= %(since)s
    AND (%(policies)s::text[] IS NULL OR policy = ANY (%(policies)s::text[])) GROUP BY 1, 2, 3
) AS ended LEFT JOIN (
    SELECT model, kind, policy, count(*) AS rows FROM purge_resurrected
    WHERE run = %(run)s GROUP BY 1, 2, 3
) AS back USING (model, kind, policy)
ORDER BY 1, 2, 3

-- name: of_table
-- A part of a search: the endings of one table with identities of the same fields.
-- params: model, names, since
event.kind {kinds} AND event.model = %(model)s AND coalesce(event.detail ->> 'identity', '') = %(names)s
    AND event.recorded_at >= %(since)s

-- name: count_back
-- How many rows a search finds that may be those that ended.
SELECT count(DISTINCT key) FROM ({search}) AS found WHERE same IS NOT false
