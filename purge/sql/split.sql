-- The first keys of a set, and the others in pieces.
SELECT keys[:%(limit)s]::text, ARRAY(
    SELECT keys[place:place + %(piece)s - 1]::text
    FROM generate_series(%(limit)s + 1, cardinality(keys), %(piece)s) AS place ORDER BY place)
FROM (SELECT %(keys)s::{kind}[]) AS t (keys)
