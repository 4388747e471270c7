-- name: expire_rows
-- Locked rows that match their policy's `when` are expired by hand, by one event for each time that
-- they wait for; not those of which nobody knows for how long.
-- params: keys, policy, model; parts: wait
WITH matching AS (
    SELECT {wait} AS wait, array_agg({stored_key} ORDER BY {stored_key}) AS keys FROM ({state_sql}) AS state
    WHERE key = ANY (%(keys)s::text[]::{type}[]) AND matches AND {wait} IS NOT NULL GROUP BY 1
)
SELECT cardinality(keys), lifecycle.record_v1('expired_by_hand', %(policy)s::text, %(model)s::text,
    lifecycle.sorted_v1({subjects}), jsonb_build_object('wait', wait))
FROM matching ORDER BY wait

-- name: row_matches
-- Whether a row matches its policy's `when`, and for how many seconds its end waits.
-- params: key; parts: wait
SELECT matches, {wait} FROM ({state_sql}) AS state WHERE state.key = {key}

-- name: own_grace
-- The seconds of a row's own grace, none where that is less than none, NULL where nobody knows.
-- parts: rows
(SELECT CASE WHEN seconds > 0 THEN round(seconds, 6) ELSE seconds * 0 END
 FROM (SELECT key, extract(epoch FROM grace::interval) AS seconds FROM ({rows}) AS lc_row) AS lc_own
 WHERE lc_own.key = state.key)
