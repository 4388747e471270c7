-- How many rows of a policy go on which day of the site, as its agenda lists them: those that are not
-- yet tombstoned after the grace that is the same for all.
SELECT ((greatest(due_at, clock.now) + CASE WHEN tombstone IS NULL THEN %(grace)s ELSE interval '0' END)
        AT TIME ZONE %(zone)s::text)::date AS day, sum(count)::bigint
FROM lifecycle_agenda, (SELECT lifecycle.now_v1() AS now OFFSET 0) AS clock
WHERE policy = %(policy)s AND due_at < clock.now + %(span)s
GROUP BY 1 ORDER BY 1
