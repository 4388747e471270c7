-- name: fitting
-- How many of the events, from the first, have no more rows together than `most`.
-- params: events, most
SELECT count(*) FROM (
    SELECT sum(CASE WHEN event.basis IS NULL THEN greatest(event.count, 1) ELSE 1 END) OVER (ORDER BY wanted.place) AS rows
    FROM unnest(%(events)s::bigint[]) WITH ORDINALITY AS wanted (id, place)
    JOIN lifecycle_event AS event ON event.id = wanted.id
) AS so_far WHERE so_far.rows <= %(most)s

-- name: told
-- The identities of those events whose rows another one names: of these alone an event's record has none.
-- params: events
SELECT id, encode(identities, 'hex') FROM lifecycle_event
WHERE id = ANY (%(events)s::bigint[]) AND basis IS NOT NULL AND identities IS NOT NULL
