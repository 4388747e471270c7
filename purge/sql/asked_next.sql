-- The next rows by their key that would end within a time.
WITH chunk AS MATERIALIZED (
    SELECT key FROM ({state_sql}) AS state
    WHERE (%(last)s::text IS NULL OR key > %(last)s::text::{type})
    AND matches AND lifecycle.finite_v1(due::timestamptz) - %(within)s::interval <= %(now)s
    ORDER BY key LIMIT %(rows)s
)
SELECT count(*), array_agg(key::{kind} ORDER BY key::{kind})::text,
    (SELECT key::text FROM chunk ORDER BY chunk.key DESC LIMIT 1)
FROM chunk
