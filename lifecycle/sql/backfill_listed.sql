-- A part of the two others: of the wanted rows those that the agenda lists, from when, and whether
-- some entry has been told to look at them again (kept, held, in their grace, blocked), which
-- counts for a row that is past its end. `near` leaves out the sets that can hold none of them.
-- The sets are read once, past a hash of the wanted keys: OFFSET 0 and coalesce() keep the planner,
-- which takes every set for ten keys, from reading all that is wanted once for each of them.
SELECT key, min(due_at) AS first, bool_or(again) AS again
FROM (
    SELECT entry.due_at, again, one.key FROM (
        SELECT entry.due_at, coalesce(told.basis, told.id) AS owner,
            entry.tombstone IS NOT NULL OR told.kind <> 'expiry_scheduled'
                OR coalesce(told.detail ->> 'carried' NOT IN ('later', 'backfill'), false) AS again
        FROM lifecycle_agenda AS entry JOIN lifecycle_event AS told ON told.id = entry.event_id
        WHERE entry.policy = %(policy)s AND EXISTS (SELECT FROM wanted)
    ) AS entry
    JOIN lifecycle_event AS owner ON owner.id = entry.owner
    CROSS JOIN LATERAL ({keys}) AS one (key)
    WHERE {near} AND (again OR entry.due_at
        <= coalesce((SELECT now FROM clock) + %(horizon)s::interval, 'infinity'))
    OFFSET 0
) AS entry
WHERE coalesce(key IN (SELECT key FROM wanted), false)
GROUP BY key
