-- name: acted_on
-- How many rows events of a plan name, each once; of an event that only counts its rows, that many.
-- Reads the ledger since the plan was applied.
-- params: applied, model
SELECT (count(DISTINCT key) + coalesce(sum(event.count) FILTER (WHERE key IS NULL), 0))::bigint
FROM lifecycle_event AS event LEFT JOIN LATERAL lifecycle.keys_v1(event.id) AS key ON true
WHERE event.id > %(applied)s AND event.model = %(model)s AND event.detail ->> 'plan' = %(applied)s::text
    AND event.kind NOT IN ('blocked', 'kept', 'settled')
