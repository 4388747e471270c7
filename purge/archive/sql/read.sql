-- The rows of one part as they are now: key, hash, time, and each column as text. The texts are made
-- once, inside, as OFFSET keeps PostgreSQL from making them for the hash again.
SELECT lc_key::text, sha256(convert_to(ROW({made})::text, 'UTF8')), lc_time, {made}
FROM (SELECT {column}::{kind} AS lc_key, {time} AS lc_time, {values}
      FROM {table} WHERE {column} = ANY ((SELECT %(keys)s::text[])::{kind}[]{cast}) OFFSET 0) AS lc_rows
ORDER BY lc_key
