-- The next rows of a group: their numbers, how many, their keys as one array.
SELECT array_agg(id), count(*), array_agg(key)::text, max(id) FROM (
    SELECT id, key::{kind} AS key FROM purge_returned
    WHERE run = %(run)s AND model = %(model)s AND names = %(names)s AND updates = %(updates)s
    AND kind = %(ending)s AND policy = %(by)s AND id > %(after)s
    AND (%(only)s::bigint[] IS NULL OR id = ANY (%(only)s::bigint[])) ORDER BY id LIMIT %(limit)s
) AS page
