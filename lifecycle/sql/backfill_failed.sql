-- A chunk of a table among whose rows the policy's expression fails: rows, the last key, and how many
-- of them were not on the agenda and are listed for the worker, which looks at them one by one.
WITH clock AS MATERIALIZED (
    SELECT lifecycle.now_v1() AS now
), chunk AS MATERIALIZED (
    SELECT {pk} AS key FROM {table} WHERE {after} ORDER BY 1 LIMIT %(chunk)s
), wanted AS MATERIALIZED (
    SELECT key::{kind} AS key FROM chunk
), listed AS MATERIALIZED (
    {listed}
), missing AS (
    SELECT array_agg(key ORDER BY key) AS keys FROM wanted
    WHERE NOT EXISTS (SELECT FROM listed WHERE listed.key = wanted.key)
)
SELECT (SELECT count(*) FROM chunk), (SELECT key::text FROM chunk ORDER BY chunk.key DESC LIMIT 1),
    coalesce(cardinality(keys), 0),
    CASE WHEN keys IS NOT NULL
         THEN lifecycle.capture_failed_v1(%(policy)s, %(model)s, {subjects}, %(sqlstate)s) END
FROM missing
