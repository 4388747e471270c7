-- List the ends of one chunk of a table: rows read, the last key, and the listing itself.
WITH chunk AS MATERIALIZED (
    SELECT key, due FROM ({due_sql}) AS compiled
    WHERE %(last)s::text IS NULL OR key > %(last)s::text::{type} ORDER BY key LIMIT %(chunk)s
), ending AS (
    SELECT key::{kind} AS key,
        lifecycle.tick_v1(lifecycle.finite_v1(due::timestamptz), %(resolution)s) AS due
    FROM chunk
), grouped AS (
    SELECT array_agg(key ORDER BY due, key) AS keys, array_agg(due ORDER BY due, key) AS dues
    FROM ending WHERE due IS NOT NULL
)
SELECT (SELECT count(*) FROM chunk), (SELECT key::text FROM chunk ORDER BY chunk.key DESC LIMIT 1),
    CASE WHEN keys IS NOT NULL THEN lifecycle.scheduled_v1(%(policy)s, %(model)s, {subjects}, dues,
                                                           '{{"carried": "backfill"}}') END
FROM grouped
