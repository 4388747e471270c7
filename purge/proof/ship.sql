-- name: fitting
-- How many of the events, from the first, have no more rows together than `most`; counted only where all have more.
-- params: events, most
SELECT CASE WHEN (
    SELECT sum(CASE WHEN basis IS NULL THEN greatest(count, 1) ELSE 1 END)
    FROM lifecycle_event WHERE id = ANY (%(events)s::bigint[])
) <= %(most)s THEN cardinality(%(events)s::bigint[]) ELSE (
    SELECT count(*) FROM (
        SELECT sum(CASE WHEN event.basis IS NULL THEN greatest(event.count, 1) ELSE 1 END)
            OVER (ORDER BY wanted.place) AS rows
        FROM unnest(%(events)s::bigint[]) WITH ORDINALITY AS wanted (id, place)
        JOIN lifecycle_event AS event ON event.id = wanted.id
    ) AS so_far WHERE so_far.rows <= %(most)s) END
