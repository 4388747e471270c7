-- How many rows would end within a time, counted no further than `most`. Rows that are tombstoned
-- were counted against the cap before.
SELECT count(*) FROM (
    SELECT FROM ({state_sql}) AS state
    WHERE matches AND NOT keep
    AND lifecycle.finite_v1(due::timestamptz) - %(within)s::interval <= (SELECT lifecycle.now_v1())
    AND key::text NOT IN (
        SELECT spared.key FROM lifecycle_exception AS spared
        WHERE (kind = 'hold' AND model = %(model)s OR kind = 'restored' AND policy = %(policy)s)
        AND (until IS NULL OR until > (SELECT lifecycle.now_v1())))
    AND key NOT IN (
        SELECT key::{type} FROM lifecycle_agenda, lifecycle.keys_v1(event_id) AS key
        WHERE policy = %(policy)s AND tombstone IS NOT NULL)
    LIMIT %(most)s
) AS counted
