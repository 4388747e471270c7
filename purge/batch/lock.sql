-- name: lock
-- Lock the rows in key order, as a DELETE would. Only a set that is not locked in full gives keys.
SELECT count(*), CASE WHEN count(*) < %(count)s THEN array_agg(key)::text END
FROM (
    SELECT {column}::{kind} AS key FROM {tables} WHERE {rows} ORDER BY {column} {strength}
) AS locked

-- name: unlocked
-- Rows of the set that are there and that somebody else has locked.
SELECT count(*), array_agg({column}::{kind} ORDER BY {column})::text FROM {table}
WHERE {rows} AND {column} NOT IN (SELECT unnest(%(locked)s::{kind}[]))
