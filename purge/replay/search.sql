-- name: replay_chunk
-- The next endings of a table, newest first: their numbers, how many rows they had.
SELECT array_agg(id), min(id), coalesce(sum(count), 0)::bigint FROM (
    SELECT id, count, sum(count) OVER (ORDER BY id DESC) - count AS before FROM (
        SELECT id, count FROM lifecycle_event AS told
        WHERE kind {kinds} AND model = %(model)s AND id < %(below)s
        AND coalesce(detail ->> 'identity', '') = %(names)s AND recorded_at >= %(since)s
        AND (%(policies)s::text[] IS NULL OR policy = ANY (%(policies)s::text[]))
        ORDER BY id DESC LIMIT 10000) AS newest
) AS counted WHERE before < %(rows)s

-- name: replay_find
-- Keep what was found of one chunk. Of several endings of a key the last counts, or the last one
-- whose identity the row has.
WITH found AS MATERIALIZED (
    {search}
)
INSERT INTO purge_resurrected
    (run, model, key, updates, event, kind, policy, recorded_at, names, same, identity)
SELECT DISTINCT ON (key) %(run)s, %(model)s, key, %(updates)s, event, told.kind, told.policy,
    told.recorded_at, %(names)s, same, identity
FROM found JOIN lifecycle_event AS told ON told.id = found.event
ORDER BY key, coalesce(same, false) DESC, event DESC
ON CONFLICT (run, model, key, updates) DO UPDATE
    SET event = EXCLUDED.event, kind = EXCLUDED.kind, policy = EXCLUDED.policy,
        recorded_at = EXCLUDED.recorded_at, names = EXCLUDED.names, same = EXCLUDED.same,
        identity = EXCLUDED.identity
    WHERE (coalesce(EXCLUDED.same, false), EXCLUDED.event)
        > (coalesce(purge_resurrected.same, false), purge_resurrected.event)

-- name: replay_counts
-- Rows found of a table: all, those that an update is to be repeated on, those that dates may tell.
SELECT count(*), count(*) FILTER (WHERE updates <> ''),
    count(*) FILTER (WHERE updates <> '' OR same IS NULL)
FROM purge_resurrected WHERE run = %(run)s AND model = %(model)s

-- name: replay_mark
-- What the ledger has said of the keys that were found since their earliest ending: loaded or
-- restored on purpose, ended otherwise, written by the host.
WITH since AS (
    SELECT min(event) AS event FROM purge_resurrected WHERE run = %(run)s AND model = %(model)s
), said AS (
    SELECT id, kind, CASE WHEN basis IS NULL THEN id ELSE basis END AS owner
    FROM lifecycle_event AS told
    WHERE model = %(model)s AND id > (SELECT event FROM since) AND {said}
), keyed AS (
    SELECT key::text AS key,
        max(said.id) FILTER (WHERE said.kind IN ('loaded', 'restored')) AS spared,
        max(said.id) FILTER (WHERE said.kind IN ('deleted', 'purged')) AS ended,
        max(said.id) FILTER (WHERE said.kind IN ('expiry_scheduled', 'capture_failed')) AS written
    FROM said JOIN lifecycle_event AS owner ON owner.id = said.owner
    CROSS JOIN LATERAL (
        SELECT unnest(owner.{subjects}) AS key
        UNION ALL
        SELECT k::text::{kind} FROM generate_series(
            lower(owner.subjects_range), upper(owner.subjects_range) - 1) AS k) AS subject
    GROUP BY 1
)
UPDATE purge_resurrected AS found SET spared = coalesce(keyed.spared, found.spared),
    ended = greatest(keyed.ended, found.ended, (SELECT max(id) FROM lifecycle_event
        WHERE kind = 'truncated' AND lifecycle_event.model = %(model)s)), written = coalesce(keyed.written, found.written)
FROM keyed WHERE found.run = %(run)s AND found.model = %(model)s AND found.key = keyed.key

-- name: replay_ended
-- How many rows have ended, by table, kind and policy.
SELECT model, kind, policy, sum(count)::bigint FROM lifecycle_event
WHERE kind IN ('deleted', 'purged', 'updated') AND recorded_at >= %(since)s
AND (%(policies)s::text[] IS NULL OR policy = ANY (%(policies)s::text[]))
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3

-- name: replay_groups
-- What was found, by the ending that is to be repeated: one kind of statement each.
SELECT model, kind, policy, names, updates, count(*) FROM purge_resurrected
WHERE run = %(run)s GROUP BY 1, 2, 3, 4, 5 ORDER BY updates <> '', 1, 2, 3, 4
