-- name: wanted
-- A part of the others: the mails that rows of a policy want next, whether it is time for them or not. The end is that of
-- the row's columns, or of a restore; a row that is held, kept, restored without an end or expired by hand wants none.
-- What it was told of counts while the end is no later. Of one whose mails are fewer now than when the first of them went
-- the last one is sent, so that it can end.
-- params: policy, model, resolution, now; parts: rows
WITH lc_state AS MATERIALIZED (
    SELECT {stored_key} AS key, lifecycle.tick_v1(lifecycle.finite_v1(due::timestamptz), %(resolution)s) AS due, notice
    FROM ({state_sql}) AS state WHERE {rows} AND matches AND NOT keep AND due IS NOT NULL AND notice IS NOT NULL
), lc_said AS MATERIALIZED (
    SELECT key::{kind} AS key, max(until) FILTER (WHERE kind = 'restored') AS until,
        bool_or(kind = 'hold' AND lifecycle.in_force_v1(until, %(now)s) OR kind = 'restored' AND until IS NULL
            OR kind = 'expired_by_hand') AS wants_none
    FROM lifecycle_exception WHERE key = ANY (ARRAY(SELECT key::text FROM lc_state))
    AND (policy = %(policy)s AND kind IN ('restored', 'expired_by_hand') OR model = %(model)s AND kind = 'hold') GROUP BY 1
), lc_noticed AS MATERIALIZED (
    SELECT one.key::{kind} AS key, one.since, (said.detail ->> 'mail')::int AS mail,
        (said.detail ->> 'until')::timestamptz AS until, one.until IS NULL AS is_open
    FROM lifecycle_exception AS one JOIN lifecycle_event AS said ON said.id = one.event_id
    WHERE one.policy = %(policy)s AND one.kind = 'noticed' AND one.key = ANY (ARRAY(SELECT key::text FROM lc_state))
), lc_told AS (
    SELECT lc_state.key, lc_end.ends, lc_state.notice, coalesce(lc_noticed.until, lc_end.ends) AS until,
        CASE WHEN lc_noticed.is_open THEN least(lc_noticed.mail + 1, cardinality(lc_state.notice))
            ELSE coalesce(lc_noticed.mail, 0) + 1 END AS number
    FROM lc_state LEFT JOIN lc_said ON lc_said.key = lc_state.key
    CROSS JOIN LATERAL (SELECT greatest(lc_state.due, lc_said.until) AS ends) AS lc_end
    LEFT JOIN lc_noticed ON lc_noticed.key = lc_state.key AND lc_noticed.since >= lc_end.ends
    WHERE NOT coalesce(lc_said.wants_none, false)
), lc_wanted AS (
    SELECT key, ends, number, cardinality(notice) AS "of", notice[number] AS own,
        greatest(ends, until) AS until, greatest(ends, until) - make_interval(secs => notice[number]) AS at
    FROM lc_told WHERE number <= cardinality(notice)
)

-- name: note
-- Write down the mails for which it is time: of rows that the agenda lists for a moment before `before`, those first whose
-- time came first; of the first mails about ends no more than there is room for. The agenda lists each row with an end at
-- its end, or earlier.
-- params: and before, room, most; parts: wanted
{wanted}
INSERT INTO purge_notice (policy, model, key, number, ends, made_at, due_at, attempts, error)
SELECT %(policy)s, %(model)s, key::text, number, ends, %(now)s, %(now)s, 0, '' FROM (
    SELECT *, row_number() OVER (PARTITION BY number > 1 ORDER BY at, key) AS place FROM lc_wanted
    WHERE at <= %(now)s AND NOT EXISTS (
        SELECT FROM purge_notice AS line WHERE line.policy = %(policy)s AND line.key = lc_wanted.key::text
        AND line.number = lc_wanted.number AND line.ends = lc_wanted.ends)
) AS lc_next WHERE number > 1 OR place <= %(room)s
ORDER BY at, key LIMIT %(most)s
ON CONFLICT (policy, key) DO UPDATE SET number = excluded.number, ends = excluded.ends, made_at = excluded.made_at,
    due_at = excluded.due_at, attempts = 0, error = '', sent_at = NULL
    WHERE (purge_notice.number, purge_notice.ends) IS DISTINCT FROM (excluded.number, excluded.ends)  -- others wrote it down
RETURNING id

-- name: listed
-- A part of the two others: whether `state.key` is that of a row which the agenda lists for a moment before `before`.
-- params: policy, before; parts: typed
state.key = ANY (ARRAY(SELECT DISTINCT {typed} FROM lifecycle_agenda AS entry, lifecycle.keys_v1(entry.event_id) AS listed (key)
    WHERE entry.policy = %(policy)s AND entry.count > 0 AND entry.window_at IS NULL AND entry.due_at <= %(before)s))

-- name: one
-- The next mail of one row, if it wants one.
-- params: and those of `wanted`, key; parts: wanted
{wanted}
SELECT ends, number, "of", own, until FROM lc_wanted

-- name: over
-- Rows that were told of an end which they do not have any more, for it is later now: the mails count no more.
-- params: policy, resolution, most; parts: rows
WITH lc_noticed AS MATERIALIZED (
    SELECT key::{kind} AS key, since FROM lifecycle_exception WHERE policy = %(policy)s AND kind = 'noticed'
), lc_over AS (
    SELECT {stored_key} AS key FROM ({state_sql}) AS state JOIN lc_noticed ON lc_noticed.key = {stored_key}
    WHERE {rows} AND (NOT matches OR due IS NULL
        OR lifecycle.tick_v1(lifecycle.finite_v1(due::timestamptz), %(resolution)s) > lc_noticed.since)
    ORDER BY 1 LIMIT %(most)s
)
SELECT count(*), array_agg(key ORDER BY key)::text[] FROM lc_over

-- name: told_rows
-- A part of `over`: whether `state.key` is that of a row which was told of an end.
-- params: policy; parts: typed
state.key = ANY (ARRAY(SELECT {typed} FROM lifecycle_exception AS listed WHERE listed.policy = %(policy)s AND listed.kind = 'noticed'))

-- name: begun
-- Of how many rows of a policy somebody was warned in 24 hours for the first time, or is about to be.
-- params: policy
SELECT (SELECT count(*) FROM lifecycle_event WHERE kind = 'noticed' AND recorded_at > (SELECT lifecycle.now_v1()) - interval '24 hours'
        AND policy = %(policy)s AND detail ->> 'mail' = '1')
    + (SELECT count(*) FROM purge_notice WHERE policy = %(policy)s AND number = 1)

-- name: forget
-- Mails of policies that give no notices any more, or have another name.
-- params: policies
DELETE FROM purge_notice WHERE policy <> ALL (%(policies)s)

-- name: lock
-- Whether nobody else looks which mails of a policy are wanted, to the end of the transaction.
-- params: name
SELECT lifecycle.try_lock_v1(%(name)s)

-- name: clock
SELECT lifecycle.now_v1()
