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
        AND (until IS NULL OR until > (SELECT lifecycle.now_v1())))
    AND (lifecycle.finite_v1(due::timestamptz) <= (SELECT lifecycle.now_v1())
        OR key::text IN (SELECT by_hand.key FROM lifecycle_exception AS by_hand
            WHERE kind = 'expired_by_hand' AND policy = %(policy)s
            AND since <= (SELECT lifecycle.now_v1())))
    LIMIT %(most)s
) AS counted
