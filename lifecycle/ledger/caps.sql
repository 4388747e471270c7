-- name: room
-- Rows ended in the last 24 hours, and rows that named persons have allowed beyond the cap in
-- them. Counted by the hour: up to an hour too much of the one, too little of the other.
SELECT coalesce(sum(value::bigint) FILTER (WHERE NOT allowed AND key >= oldest), 0)::bigint,
    coalesce(sum(value::bigint) FILTER (WHERE allowed AND substr(key, 9, 13) > oldest), 0)::bigint
FROM lifecycle_policy LEFT JOIN jsonb_each_text(spent) ON true
CROSS JOIN LATERAL (SELECT starts_with(key, 'allowed') AS allowed,
    to_char(lifecycle.now_v1() AT TIME ZONE 'UTC' - interval '24 hours', 'YYYY-MM-DD"T"HH24') AS oldest) AS clock
WHERE name = %(policy)s

-- name: due_entries
-- How many rows the due entries of a policy list at most; tombstoned ones were counted before.
SELECT coalesce(sum(count), 0)::bigint FROM lifecycle_agenda
WHERE policy = %(policy)s AND due_at <= (SELECT lifecycle.now_v1()) AND tombstone IS NULL AND window_at IS NULL

-- name: due_rows
-- How many rows are due and would be ended, counted no further than `most`.
SELECT count(*) FROM (
    SELECT FROM ({state_sql}) AS state
    WHERE key IN (
        SELECT key::{type} FROM lifecycle_agenda, lifecycle.keys_v1(event_id) AS key
        WHERE policy = %(policy)s AND due_at <= (SELECT lifecycle.now_v1()) AND tombstone IS NULL)
    AND matches AND NOT keep
    AND key::text NOT IN (
        SELECT spared.key FROM lifecycle_exception AS spared
        WHERE (kind = 'hold' AND model = %(model)s OR kind = 'restored' AND policy = %(policy)s)
        AND lifecycle.in_force_v1(until, (SELECT lifecycle.now_v1())))
    AND (lifecycle.finite_v1(due::timestamptz) <= (SELECT lifecycle.now_v1())
        OR key::text IN (SELECT by_hand.key FROM lifecycle_exception AS by_hand
            WHERE kind = 'expired_by_hand' AND policy = %(policy)s
            AND since <= (SELECT lifecycle.now_v1())))
    LIMIT %(most)s
) AS counted
