-- How many rows of each window were found blocked since an event.
SELECT to_char(entry.window_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"'), sum(entry.count)::bigint
FROM lifecycle_agenda AS entry JOIN lifecycle_event AS told ON told.id = entry.event_id
WHERE entry.policy = %(policy)s AND entry.window_at = ANY (%(windows)s::timestamptz[])
AND told.kind = 'blocked' AND told.id > %(began)s GROUP BY 1
