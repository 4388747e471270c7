-- The next rows of windows in the order of their ends, by the index on the column: how many, their
-- keys, and where the last one stands. What is restored or expired by hand is listed by its key.
SELECT count(*), array_agg(key ORDER BY key)::text,
    (array_agg(moment::text ORDER BY moment DESC, lc_found.own DESC))[1],
    (array_agg(lc_found.own::text ORDER BY moment DESC, lc_found.own DESC))[1]
FROM (
    SELECT {column}::{kind} AS key, {column} AS own, {moment} AS moment FROM {table}
    WHERE {within} AND {after} ORDER BY {moment}, {column} LIMIT %(rows)s
) AS lc_found
