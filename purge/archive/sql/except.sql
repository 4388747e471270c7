-- The rows of a set that are not among some keys.
SELECT count(*), array_agg({column}::{kind} ORDER BY {column})::text, array_agg({column}::{kind}::text ORDER BY {column})
FROM {table} WHERE {rows} AND {column} <> ALL ((SELECT %(covered)s::{kind}[])::{kind}[]{cast})
