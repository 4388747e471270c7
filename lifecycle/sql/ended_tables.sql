-- The tables of which rows have ended, with the fields of which identities were made.
SELECT DISTINCT model, coalesce(detail ->> 'identity', '') FROM lifecycle_event
WHERE kind {kinds} AND model <> '' ORDER BY 1, 2
