-- The first keys of a set, and the others.
SELECT keys[:%(limit)s]::text, keys[%(limit)s + 1:]::text FROM (SELECT %(keys)s::{kind}[]) AS t (keys)
