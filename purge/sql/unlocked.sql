-- Rows of the set that are there and that somebody else has locked.
SELECT count(*), array_agg({column}::{kind} ORDER BY {column})::text FROM {table}
WHERE {rows} AND {column} NOT IN (SELECT unnest(%(locked)s::{kind}[]))
