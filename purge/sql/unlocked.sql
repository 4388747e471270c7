-- Rows of the set that are there and that somebody else has locked.
SELECT count(*), array_agg({pk}::{kind} ORDER BY {pk})::text FROM {table}
WHERE {rows} AND {pk} NOT IN (SELECT unnest(%(locked)s::{kind}[]))
