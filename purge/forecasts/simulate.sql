-- name: read
-- What becomes of the rows of a policy until a moment, and on which day from today: `ends`, `held`, `kept`,
-- `restored`; how many. A hold or a restore with an end moves the row's own end to it. A row that is past its end and not
-- gone is one that the worker is about to take; under a policy that is not enabled its grace begins now.
-- params: policy, model, until, zone, hides, past, enabled; parts: key_text
WITH lc_clock AS MATERIALIZED (
    SELECT lifecycle.now_v1() AS now, (lifecycle.now_v1() AT TIME ZONE %(zone)s::text)::date AS today
), lc_state AS (
    SELECT {key_text} AS key, matches, keep, lifecycle.finite_v1(due::timestamptz) AS due,
        CASE WHEN %(hides)s THEN make_interval(secs => extract(epoch FROM grace)) ELSE interval '0' END AS grace
    FROM ({state_sql}) AS state OFFSET 0
), lc_excepted AS MATERIALIZED (
    SELECT key, bool_or(kind = 'hold' AND until IS NULL) AS held, bool_or(kind = 'restored' AND until IS NULL) AS restored,
        max(until) FILTER (WHERE kind IN ('hold', 'restored')) AS until,
        min(since) FILTER (WHERE kind = 'expired_by_hand') AS by_hand
    FROM lifecycle_exception
    WHERE model = %(model)s AND (kind = 'hold' AND policy = '' OR kind <> 'hold' AND policy = %(policy)s) GROUP BY key
), lc_held AS MATERIALIZED (
    SELECT bool_or(until IS NULL) AS held, max(until) AS until FROM lifecycle_exception
    WHERE kind = 'hold' AND policy <> '' AND model = %(model)s
), lc_moved AS (
    SELECT lc_state.keep, coalesce(lc_excepted.held, false) OR coalesce(lc_held.held, false) AS held,
        coalesce(lc_excepted.restored, false) AS restored,
        CASE WHEN %(enabled)s OR %(past)s THEN lc_due.due ELSE greatest(lc_due.due, lc_clock.now) END + lc_state.grace AS ends
    FROM lc_state CROSS JOIN lc_clock CROSS JOIN lc_held LEFT JOIN lc_excepted ON lc_excepted.key = lc_state.key
    CROSS JOIN LATERAL (SELECT greatest(least(lc_state.due, lc_excepted.by_hand), lc_excepted.until, lc_held.until)) AS lc_due (due)
    WHERE lc_state.matches AND least(lc_state.due, lc_excepted.by_hand) IS NOT NULL
)
SELECT CASE WHEN held THEN 'held' WHEN restored THEN 'restored' WHEN keep THEN 'kept' ELSE 'ends' END AS what,
    (CASE WHEN %(past)s THEN ends ELSE greatest(ends, lc_clock.now) END AT TIME ZONE %(zone)s::text)::date - lc_clock.today AS day,
    count(*)
FROM lc_moved CROSS JOIN lc_clock WHERE ends <= %(until)s GROUP BY 1, 2 ORDER BY 1, 2

-- name: moment
-- The clock, and the ledger's last number.
SELECT lifecycle.now_v1(), (SELECT coalesce(max(id), 0) FROM lifecycle_event)
