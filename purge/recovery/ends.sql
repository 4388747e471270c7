-- name: make
-- What was last published of each row, in this session alone: the event, what kind it is of, the end that it gives.
CREATE TEMPORARY TABLE lifecycle_last_word (
    place bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, key text NOT NULL UNIQUE, event bigint NOT NULL,
    kind text NOT NULL, ends timestamptz, certain boolean NOT NULL, says text)

-- name: drop
DROP TABLE IF EXISTS pg_temp.lifecycle_last_word

-- name: tables
-- The tables that the published events since the backup are about.
-- params: log, kept, size
SELECT DISTINCT event.model FROM lifecycle_event AS event JOIN (
    SELECT unnest(seal.events[greatest(%(kept)s - seal.first, 0) + 1 : least(%(size)s - seal.first, seal.count)]) AS id
    FROM lifecycle_seal AS seal WHERE seal.log = %(log)s AND seal.first < %(size)s AND seal.first + seal.count > %(kept)s
) AS missing ON missing.id = event.id

-- name: gather
-- Of the rows of one policy, the last published event since the backup that says when they end. Not of rows that have
-- ended after it, nor of those that the site has written since the restore: they end by their columns. Not `certain`: the
-- end is the earliest, or the latest, of several rows. `free`: the worker has taken the row off the agenda, and nothing has
-- listed it again, so that it had no end any more.
-- params: policy, model, names, log, kept, size, top; parts: keys_of_owner
WITH missing AS MATERIALIZED (
    SELECT unnest(seal.events[greatest(%(kept)s - seal.first, 0) + 1 : least(%(size)s - seal.first, seal.count)]) AS id
    FROM lifecycle_seal AS seal WHERE seal.log = %(log)s AND seal.first < %(size)s AND seal.first + seal.count > %(kept)s
), emptied AS (
    SELECT coalesce(max(id), 0) AS event FROM lifecycle_event WHERE model = %(model)s AND kind = 'truncated'
), told AS (
    SELECT event.id, coalesce(event.basis, event.id) AS owner, event.kind,
        greatest(event.due_at, (event.detail ->> 'latest')::timestamptz) AS ends,
        NOT event.detail ?| '{{latest,relisted}}' AS certain
    FROM (
        SELECT id FROM missing UNION ALL SELECT id FROM lifecycle_event WHERE id > %(top)s
    ) AS number JOIN lifecycle_event AS event ON event.id = number.id
    WHERE event.model = %(model)s AND event.id > (SELECT event FROM emptied)
    AND (event.kind IN ('purged', 'deleted') OR event.policy = ANY (%(names)s::text[]) AND (
        event.kind IN ('updated', 'capture_failed', 'kept') OR event.kind = 'expiry_scheduled' AND (
            NOT event.detail ? 'relisted'
            OR event.detail ->> 'relisted' IN ('later', 'backfill') AND event.id <= %(top)s)))
), keyed AS (
    SELECT key, told.*
    FROM told JOIN lifecycle_event AS owner ON owner.id = told.owner
    CROSS JOIN LATERAL ({keys_of_owner}) AS subject
), newest AS (
    SELECT DISTINCT ON (key) key, id, kind, ends, certain FROM keyed ORDER BY key, id DESC
), settled AS MATERIALIZED (
    SELECT event.id, unnest(event.settled) AS entry
    FROM missing JOIN lifecycle_event AS event ON event.id = missing.id
    WHERE event.policy = ANY (%(names)s::text[]) AND event.settled IS NOT NULL
), listed AS MATERIALIZED (
    SELECT DISTINCT key FROM lifecycle_agenda AS entry, lifecycle.keys_v1(entry.event_id) AS key
    WHERE entry.policy = %(policy)s AND entry.event_id <= %(top)s
), free AS (
    SELECT key, max(settled.id) AS id FROM settled, lifecycle.keys_v1(settled.entry) AS key
    WHERE NOT EXISTS (SELECT FROM listed WHERE listed.key = key.key) GROUP BY key
)
INSERT INTO pg_temp.lifecycle_last_word (key, event, kind, ends, certain)
SELECT coalesce(newest.key::text, free.key), coalesce(free.id, newest.id),
    CASE WHEN free.id IS NULL THEN newest.kind ELSE 'free' END, newest.ends, coalesce(newest.certain, true)
FROM newest FULL JOIN free ON free.key = newest.key::text
WHERE newest.id IS NULL OR newest.id <= %(top)s AND newest.kind NOT IN ('purged', 'deleted', 'updated')
ORDER BY newest.key, free.key

-- name: page
-- The next keys; no line where there are no more.
-- params: after, limit
SELECT max(place), array_agg(key ORDER BY place) FROM (
    SELECT place, key FROM pg_temp.lifecycle_last_word WHERE place > %(after)s ORDER BY place LIMIT %(limit)s
) AS page HAVING count(*) > 0

-- name: judge
-- Where the rows that are there say otherwise by their columns:
-- later    the row ended later
-- never    it had no end any more, or none that could be read
-- kept     `keep_while` had kept it, and does not now
-- sooner   it ended sooner
-- endless  it had an end, and has none now
-- params: keys, now, resolution, policy, top; parts: state_key
UPDATE pg_temp.lifecycle_last_word AS word SET says = CASE
        WHEN state.due IS NULL THEN CASE WHEN word.ends IS NOT NULL AND word.kind = 'expiry_scheduled' THEN 'endless' END
        WHEN word.kind = 'free' THEN CASE WHEN NOT EXISTS (
            SELECT FROM lifecycle_exception AS said WHERE said.kind = 'restored' AND said.policy = %(policy)s
            AND said.key = word.key AND said.event_id <= %(top)s) THEN 'never' END
        WHEN word.kind = 'kept' THEN CASE WHEN NOT state.keep THEN 'kept' END
        WHEN word.kind = 'capture_failed' OR word.ends IS NULL THEN 'never'
        WHEN word.ends > state.due AND word.ends > %(now)s THEN 'later'
        WHEN word.ends < state.due AND word.certain THEN 'sooner' END
FROM (
    SELECT {state_key} AS key, coalesce(lc_s.keep, false) AS keep, CASE WHEN lc_s.matches
        THEN lifecycle.tick_v1(lifecycle.finite_v1(lc_s.due::timestamptz), %(resolution)s) END AS due
    FROM ({state_sql}) AS lc_s WHERE lc_s.key = ANY (%(keys)s::text[]::{type}[])
) AS state
WHERE word.key = state.key AND word.key = ANY (%(keys)s::text[])

-- name: spare
-- Rows that had a later end are live until then, others until somebody says otherwise; one event for each time. Not where
-- a person has decided already, or the site has written the row since the restore, also while this waited for its lock.
-- params: policy, model, keys, top; parts: subjects
WITH written AS MATERIALIZED (
    SELECT key FROM lifecycle_event AS event, lifecycle.keys_v1(event.id) AS key
    WHERE event.id > %(top)s AND event.model = %(model)s AND event.policy = %(policy)s
    AND event.kind IN ('expiry_scheduled', 'capture_failed') AND NOT event.detail ? 'relisted'
), wanted AS MATERIALIZED (
    SELECT word.key, CASE WHEN word.says = 'later' THEN word.ends END AS until
    FROM pg_temp.lifecycle_last_word AS word
    WHERE word.key = ANY (%(keys)s::text[]) AND word.says IN ('later', 'never', 'kept')
    AND word.key NOT IN (SELECT key FROM written)
), undecided AS (
    SELECT * FROM wanted WHERE NOT EXISTS (
        SELECT FROM lifecycle_exception AS said WHERE said.policy = %(policy)s AND said.key = wanted.key
        AND (said.kind = 'expired_by_hand'
             OR said.kind = 'restored' AND (said.until IS NULL OR said.until >= wanted.until)))
)
SELECT count(*), lifecycle.record_v1('restored', %(policy)s, %(model)s, lifecycle.sorted_v1({subjects}),
    jsonb_build_object('again', true) || CASE WHEN until IS NULL THEN '{{}}' ELSE jsonb_build_object(
        'until', to_char(until AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"')) END)
FROM undecided GROUP BY until

-- name: totals
SELECT says, count(*) FROM pg_temp.lifecycle_last_word WHERE says IS NOT NULL GROUP BY says ORDER BY says

-- name: differing
-- The first rows that differ.
-- params: limit
SELECT key, event, says, ends FROM pg_temp.lifecycle_last_word WHERE says IS NOT NULL ORDER BY place LIMIT %(limit)s
