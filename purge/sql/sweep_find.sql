-- The next rows of windows in the order of their ends, by the index on the column: how many, their
-- keys, and where the last one stands. What is restored or expired by hand is listed by its key.
WITH lc_found AS MATERIALIZED (
    SELECT {column}::{kind} AS key, {column} AS own, {moment} AS moment FROM {table}
    WHERE {within} AND {after} ORDER BY {moment}, {column} LIMIT %(rows)s
), lc_last AS (
    SELECT moment, own FROM lc_found ORDER BY moment DESC, own DESC LIMIT 1
)
SELECT (SELECT count(*) FROM lc_found), (SELECT array_agg(key ORDER BY key)::text FROM lc_found),
    (SELECT moment::text FROM lc_last), (SELECT own::text FROM lc_last)
