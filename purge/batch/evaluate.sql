-- name: lock
-- Lock the rows in key order, as a DELETE would. Only a set that is not locked in full gives keys.
-- params: count; parts: rows, strength (FOR ...)
SELECT count(*), CASE WHEN count(*) < %(count)s THEN array_agg(key)::text END
FROM (
    SELECT {own_key} AS key FROM {tables} WHERE {rows} ORDER BY {column} {strength}
) AS locked

-- name: unlocked
-- Rows of the set that are there and that somebody else has locked.
-- params: locked; parts: rows
SELECT count(*), array_agg({own_key} ORDER BY {column})::text FROM {table}
WHERE {rows} AND {own_key} NOT IN (SELECT unnest(%(locked)s::{kind}[]))

-- name: evaluate
-- What is to be done with locked rows, and when: by their columns, exceptions, keep_while, grace and
-- tombstone. One line for each class of rows; `keys` is NULL for a class that is the whole set.
-- `state` comes first: a table of the host may have the name of one of the others.
-- Times are rounded up as the ledger lists them, so that the ledger alone can prove that nothing
-- ended before its time. An end by hand counts from its own moment, which may be after this batch has
-- read the clock: such a row is 'later' by less than a second, and that moment is not rounded.
-- OFFSET 0 has each step computed once a row, instead of written into every place that names it.
-- A row that is told of its end by mails ends when the last of them went and its time is over: see `noticed`.
-- params: policy, model, now, count, search, entries, oldest, resolution, recheck, open; parts: rows,
-- subjects, tombstones, due, grace, listed, kept, keeps, keep, without, notice, noticed
WITH state AS (
    SELECT {stored_key} AS key, matches, {kept} AS keep, keep AS committed, {keeps} AS keeps,
        lifecycle.tick_v1({due}, %(resolution)s) AS due, {grace} AS grace, {notice} AS notice
    FROM ({state_sql}) AS state WHERE {rows} OFFSET 0
), asked AS MATERIALIZED (
    SELECT * FROM lifecycle.exceptions_v1(%(policy)s, %(model)s, {subjects})
), excepted AS MATERIALIZED (
    SELECT key::{kind} AS key, bool_or(kind = 'restored' AND lifecycle.in_force_v1(until, %(now)s)) AS spared,
        max(until) FILTER (WHERE kind = 'restored' AND until <= %(now)s) AS lapsed,
        min(since) FILTER (WHERE kind = 'expired_by_hand') AS by_hand,
        min(grace) AS grace, max({without}) AS without
    FROM asked WHERE kind IN ('restored', 'expired_by_hand') GROUP BY 1
), noticed AS MATERIALIZED (
    {noticed}
), elsewhere AS MATERIALIZED (  -- tombstones under which other entries list rows
    SELECT key::{kind} AS key, max(tombstone) AS tombstone, max(tombstoned_at) AS tombstoned_at
    FROM lifecycle_agenda AS entry, lifecycle.keys_v1(entry.event_id) AS key
    WHERE %(search)s AND entry.policy = %(policy)s AND tombstone IS NOT NULL
    AND entry.event_id <> ALL (%(entries)s::bigint[]) GROUP BY 1
), renewed AS MATERIALIZED (
    SELECT key::{kind} AS key, max(id) AS id
    FROM lifecycle.renewed_v1(%(policy)s, %(model)s,
            least(%(oldest)s::bigint, (SELECT min(tombstone) FROM elsewhere))),
        lifecycle.keys_v1(id) AS key
    GROUP BY 1
), holds AS MATERIALIZED (
    SELECT key::{kind} AS key,
        CASE WHEN bool_and(until IS NOT NULL) THEN max(until) END AS until
    FROM asked WHERE kind = 'hold' AND lifecycle.in_force_v1(until, %(now)s) GROUP BY 1
), with_tombstones AS (
    SELECT state.key, {keep} AS keep, committed, least(state.grace, excepted.grace) AS grace, tombstone.tombstone, tombstone.tombstoned_at,
        CASE WHEN matches AND least(due, by_hand) IS NOT NULL
             THEN greatest(least(due, by_hand), lapsed, CASE WHEN by_hand IS NULL AND told.of_it THEN noticed.until END)
             END AS ends,
        notice IS NULL OR by_hand IS NOT NULL OR told.of_it AND noticed.is_whole AS is_told,
        coalesce(spared, false) AS spared, renewed.id AS renewed_id,
        elsewhere.tombstone AS other, elsewhere.tombstoned_at AS other_at,
        holds.key IS NOT NULL AS held, holds.until AS held_until
    FROM state
    {tombstones}
    LEFT JOIN excepted ON excepted.key = state.key
    LEFT JOIN renewed ON renewed.key = state.key
    LEFT JOIN holds ON holds.key = state.key
    LEFT JOIN noticed ON noticed.key = state.key
    CROSS JOIN LATERAL (SELECT coalesce(noticed.since >= greatest(due, lapsed), false)) AS told (of_it)
    LEFT JOIN elsewhere ON elsewhere.key = state.key
    OFFSET 0
), valid AS (
    SELECT *, coalesce(tombstoned_at >= ends AND coalesce(renewed_id < tombstone, true), false) AS valid,
        coalesce(other_at >= ends AND coalesce(renewed_id < other, true), false) AS listed
    FROM with_tombstones OFFSET 0
), evaluated AS MATERIALIZED (
    SELECT key, tombstone, CASE
            WHEN ends IS NULL OR spared THEN 'free'
            WHEN ends > %(now)s THEN 'later'
            WHEN held THEN 'held'
            WHEN keep AND NOT committed THEN 'locked'  -- rows that it is counted out by
            WHEN keep THEN 'kept'
            WHEN NOT is_told THEN 'notice'
            WHEN NOT valid AND listed THEN {listed}
            WHEN NOT valid AND grace <= interval '0' AND %(open)s THEN 'end'
            WHEN NOT valid THEN 'tombstone'
            WHEN grace IS NULL OR lifecycle.tick_v1(tombstoned_at + grace, %(resolution)s) > %(now)s
                THEN 'waiting'
            ELSE 'purge' END AS verdict,
        CASE WHEN ends > %(now)s THEN ends
            WHEN held THEN least(held_until, %(now)s + %(recheck)s)
            WHEN grace IS NULL THEN %(now)s + %(recheck)s
            WHEN valid THEN tombstoned_at + grace
            ELSE %(now)s + greatest(grace, interval '0') END AS due
    FROM valid
), counted AS (
    SELECT verdict, CASE WHEN verdict = 'waiting' THEN tombstone END AS tombstone, count(*),
        CASE verdict WHEN 'later' THEN min(due) ELSE lifecycle.tick_v1(min(due), %(resolution)s) END AS due,
        count(*) < %(count)s AS is_part, verdict IN ('later', 'waiting', 'held', 'notice') AS has_dues
    FROM evaluated GROUP BY 1, 2
)
SELECT verdict, tombstone, counted.count, due, listed.keys, CASE WHEN has_dues THEN listed.dues END
FROM counted CROSS JOIN LATERAL (
    SELECT array_agg(key ORDER BY due, key)::text AS keys, array_agg(due ORDER BY due, key)::text AS dues
    FROM (
        SELECT key, CASE WHEN verdict = 'later' THEN due
            WHEN has_dues THEN lifecycle.tick_v1(due, %(resolution)s) END AS due
        FROM evaluated WHERE (is_part OR has_dues) AND evaluated.verdict = counted.verdict
        AND (tombstone IS NULL OR evaluated.tombstone = tombstone)
    ) AS class
) AS listed

-- name: noticed
-- A part of `evaluate`: the ends that rows of the set were told of, when each may end by that, and whether all mails went.
-- params: policy; parts: subjects
SELECT one.key::{kind} AS key, one.since, (said.detail ->> 'until')::timestamptz AS until, one.until IS NOT NULL AS is_whole
FROM lifecycle_exception AS one JOIN lifecycle_event AS said ON said.id = one.event_id
WHERE one.policy = %(policy)s AND one.kind = 'noticed' AND one.key = ANY (lifecycle.texts_v1({subjects}))

-- name: unnoticed
-- The same of a policy without notices: nothing.
SELECT NULL::{kind} AS key, NULL::timestamptz AS since, NULL::timestamptz AS until, NULL::boolean AS is_whole WHERE false
