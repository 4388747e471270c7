-- name: expire_rows
-- Locked rows that match their policy's `when` are expired by hand, by one event.
-- params: keys, policy, model
WITH matching AS (
    SELECT array_agg(key::{kind} ORDER BY key::{kind}) AS keys FROM ({state_sql}) AS state
    WHERE key = ANY (%(keys)s::text[]::{type}[]) AND matches
)
SELECT cardinality(keys), lifecycle.record_v1('expired_by_hand', %(policy)s::text, %(model)s::text,
    lifecycle.sorted_v1({subjects}), '{{}}')
FROM matching WHERE keys IS NOT NULL

-- name: row_matches
-- Whether a row matches its policy's `when`.
-- params: key
SELECT coalesce((SELECT matches FROM ({state_sql}) AS state WHERE state.key::text = %(key)s), false)
