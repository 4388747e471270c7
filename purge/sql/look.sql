-- Look at locked rows afresh: own columns, exceptions, keep_while, grace, tombstone; say for each
-- what is to be done and when. `keys` is NULL for a class that is the whole set.
WITH excepted AS MATERIALIZED (
    SELECT key::{kind} AS key, bool_or(kind = 'restored' AND (until IS NULL OR until > %(now)s)) AS spared,
        max(until) FILTER (WHERE kind = 'restored' AND until <= %(now)s) AS lapsed,
        min(since) FILTER (WHERE kind = 'expired_by_hand') AS by_hand
    FROM lifecycle_exception
    WHERE policy = %(policy)s AND kind IN ('restored', 'expired_by_hand') GROUP BY 1
), renewed AS MATERIALIZED (
    SELECT key::{kind} AS key, max(id) AS id
    FROM lifecycle.renewed_v1(%(policy)s, %(model)s, %(oldest)s), lifecycle.keys_v1(id) AS key
    GROUP BY 1
), state AS (
    SELECT state.key::{kind} AS key, matches, keep, grace, stone.tombstone, stone.tombstoned_at,
        CASE WHEN matches AND least(lifecycle.finite_v1(due::timestamptz), by_hand) IS NOT NULL
             THEN greatest(least(lifecycle.finite_v1(due::timestamptz), by_hand), lapsed) END AS ends,
        coalesce(spared, false) AS spared, renewed.id AS renewed_id,
        state.key::{kind} IN (
            SELECT key::{kind} FROM lifecycle_exception
            WHERE kind = 'hold' AND model = %(model)s AND key <> ''
            AND (until IS NULL OR until > %(now)s)) AS held
    FROM ({state_sql}) AS state
    {stones}
    LEFT JOIN excepted ON excepted.key = state.key
    LEFT JOIN renewed ON renewed.key = state.key
    WHERE {rows}
), stoned AS (
    SELECT *, coalesce(tombstoned_at >= ends AND coalesce(renewed_id < tombstone, true), false) AS valid
    FROM state
), judged AS (
    SELECT key, tombstone, CASE
            WHEN ends IS NULL OR spared THEN 'free'
            WHEN ends > %(now)s THEN 'later'
            WHEN held THEN 'held'
            WHEN keep THEN 'kept'
            WHEN grace <= interval '0' THEN 'end'
            WHEN NOT valid THEN 'tombstone'
            WHEN tombstoned_at + grace > %(now)s THEN 'waiting'
            ELSE 'purge' END AS verdict,
        lifecycle.tick_v1(CASE
            WHEN ends > %(now)s THEN ends
            WHEN valid THEN tombstoned_at + grace
            ELSE %(now)s + grace END, %(resolution)s) AS due
    FROM stoned
)
SELECT verdict, CASE WHEN verdict = 'waiting' THEN tombstone END AS stone, count(*), min(due),
    CASE WHEN count(*) < %(count)s OR verdict IN ('later', 'waiting')
         THEN array_agg(key ORDER BY due, key)::text END,
    CASE WHEN verdict IN ('later', 'waiting') THEN array_agg(due ORDER BY due, key)::text END,
    min(key::text)
FROM judged GROUP BY 1, 2
