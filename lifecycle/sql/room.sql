-- Rows ended in the last 24 hours, and rows that named persons have allowed beyond the cap in
-- them. Counted by the hour: up to an hour too much of the one, too little of the other.
SELECT coalesce(sum(value::bigint) FILTER (WHERE NOT allowed AND key >= oldest), 0)::bigint,
    coalesce(sum(value::bigint) FILTER (WHERE allowed AND substr(key, 9, 13) > oldest), 0)::bigint
FROM lifecycle_policy LEFT JOIN jsonb_each_text(spent) ON true
CROSS JOIN LATERAL (SELECT starts_with(key, 'allowed') AS allowed,
    to_char(lifecycle.now_v1() AT TIME ZONE 'UTC' - interval '24 hours', 'YYYY-MM-DD"T"HH24') AS oldest) AS clock
WHERE name = %(policy)s
