-- The next rows of a group: their numbers, how many, their keys as one array.
SELECT array_agg(id), count(*), array_agg(key)::text, max(id) FROM (
    SELECT found.id, found.key::{kind} AS key
    FROM purge_returned AS found JOIN lifecycle_event AS told ON told.id = found.event
    WHERE found.run = %(run)s AND found.model = %(model)s AND found.names = %(names)s
    AND found.updates = %(updates)s AND told.kind = %(ending)s AND told.policy = %(by)s
    AND found.id > %(after)s AND (%(only)s::bigint[] IS NULL OR found.id = ANY (%(only)s::bigint[]))
    ORDER BY found.id LIMIT %(limit)s
) AS page
