-- name: first_event
-- The first event that may be as young as a time, found by halving: a few reads, however long the ledger
-- is. Ids and times go up together but for writers that ran at once, for which an hour is allowed.
-- params: since
WITH RECURSIVE halved AS (
    SELECT coalesce(min(id), 0) AS low, coalesce(max(id), 0) + 1 AS high FROM lifecycle_event
    UNION ALL
    SELECT CASE WHEN older THEN middle ELSE low END, CASE WHEN older THEN high ELSE middle END
    FROM (
        SELECT low, high, (low + high) / 2 AS middle, (
            SELECT recorded_at < %(since)s::timestamptz - interval '1 hour'
            FROM lifecycle_event WHERE id >= (low + high) / 2 ORDER BY id LIMIT 1) AS older
        FROM halved WHERE high - low > 1
    ) AS tried
)
SELECT min(low) FROM halved WHERE high - low <= 1

-- name: counts
-- Rows (of media: files) of each kind of event within a time, by policy and table; with an empty policy
-- the rows that went along with others, by the detail of the events of those.
-- params: first, since, until, kinds
WITH counted AS MATERIALIZED (
    SELECT policy, model, kind, cause, count, detail -> 'cascade' AS cascaded FROM lifecycle_event
    WHERE id >= %(first)s AND recorded_at >= %(since)s AND recorded_at < %(until)s
    AND kind = ANY (%(kinds)s)
)
SELECT policy, model, kind, sum(count)::bigint FROM counted WHERE cause <> 'cascade' GROUP BY 1, 2, 3
UNION ALL
SELECT '', other.key, counted.kind, sum(CASE WHEN other.value ~ '^\d{{1,18}}$' THEN other.value::bigint ELSE 0 END)::bigint
FROM counted CROSS JOIN LATERAL jsonb_each_text(
    CASE jsonb_typeof(counted.cascaded) WHEN 'object' THEN counted.cascaded END) AS other GROUP BY 2, 3
