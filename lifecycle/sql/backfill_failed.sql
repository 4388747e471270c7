-- A chunk of a table among whose rows the policy's expression fails: rows, the last key, and the
-- listing of all of them for the worker, which looks at them one by one.
WITH chunk AS MATERIALIZED (
    SELECT {pk} AS key FROM {table}
    WHERE %(last)s::text IS NULL OR {pk} > %(last)s::text::{type} ORDER BY 1 LIMIT %(chunk)s
), listed AS (
    SELECT array_agg(key::{kind} ORDER BY key::{kind}) AS keys FROM chunk
)
SELECT (SELECT count(*) FROM chunk), (SELECT key::text FROM chunk ORDER BY chunk.key DESC LIMIT 1),
    CASE WHEN keys IS NOT NULL
         THEN lifecycle.capture_failed_v1(%(policy)s, %(model)s, {subjects}, %(sqlstate)s) END
FROM listed
