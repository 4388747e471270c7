-- Lock the rows in key order, as a DELETE would. Only a set that is not locked in full gives keys.
SELECT count(*), CASE WHEN count(*) < %(count)s THEN array_agg(key)::text END
FROM (
    SELECT {column}::{kind} AS key FROM {tables} WHERE {rows} ORDER BY {column} {strength}
) AS locked
