-- Rows ended in the last 24 hours, and rows that a named person has allowed beyond the cap.
SELECT coalesce(sum(value::bigint) FILTER (
        WHERE key <> 'allowed' AND key > to_char(clock_timestamp() AT TIME ZONE 'UTC' - interval '24 hours',
                                                 'YYYY-MM-DD"T"HH24')), 0)::bigint,
    coalesce(max(value::bigint) FILTER (WHERE key = 'allowed'), 0)
FROM lifecycle_policy LEFT JOIN jsonb_each_text(spent) ON true WHERE name = %(policy)s
