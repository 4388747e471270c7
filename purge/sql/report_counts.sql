-- What happened within a time, in rows (of media: files), by policy and table; with an empty policy the
-- rows that went along with others, as the events of those tell.
WITH told AS MATERIALIZED (
    SELECT policy, model, kind, cause, count, detail -> 'cascade' AS along FROM lifecycle_event
    WHERE id >= %(first)s AND recorded_at >= %(since)s AND recorded_at < %(until)s
    AND kind = ANY (%(kinds)s)
)
SELECT policy, model, kind, sum(count)::bigint FROM told WHERE cause <> 'cascade' GROUP BY 1, 2, 3
UNION ALL
SELECT '', other.key, told.kind, sum(other.value::bigint)::bigint
FROM told CROSS JOIN LATERAL jsonb_each_text(told.along) AS other GROUP BY 2, 3
