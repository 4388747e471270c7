-- The next endings of a table, newest first: their numbers, how many rows they had.
SELECT array_agg(id), min(id), coalesce(sum(count), 0)::bigint FROM (
    SELECT id, count, sum(count) OVER (ORDER BY id DESC) - count AS before FROM (
        SELECT id, count FROM lifecycle_event AS told
        WHERE kind {kinds} AND model = %(model)s AND id < %(below)s
        AND coalesce(detail ->> 'identity', '') = %(names)s AND recorded_at >= %(since)s
        AND (%(policies)s::text[] IS NULL OR policy = ANY (%(policies)s::text[]))
        ORDER BY id DESC LIMIT 10000) AS newest
) AS counted WHERE before < %(rows)s
