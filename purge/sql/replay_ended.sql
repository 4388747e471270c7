-- How many rows have ended, by table, kind and policy.
SELECT model, kind, policy, sum(count)::bigint FROM lifecycle_event
WHERE kind IN ('deleted', 'purged', 'updated') AND recorded_at >= %(since)s
AND (%(policies)s::text[] IS NULL OR policy = ANY (%(policies)s::text[]))
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
