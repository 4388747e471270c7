-- The rows of one part as they are now: key, hash, time, and each column as text.
SELECT {column}::{kind}::text, {hash}, {time}, {values}
FROM {table} WHERE {column} = ANY ((SELECT %(keys)s::text[])::{kind}[]{cast}) ORDER BY {column}
