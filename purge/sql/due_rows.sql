-- How many rows are due and would be ended, counted no further than `most`.
SELECT count(*) FROM (
    SELECT FROM ({state_sql}) AS state
    WHERE key IN (
        SELECT key::{type} FROM lifecycle_agenda, lifecycle.keys_v1(event_id) AS key
        WHERE policy = %(policy)s AND due_at <= (SELECT clock_timestamp()) AND tombstone IS NULL)
    AND matches AND NOT keep
    AND lifecycle.finite_v1(due::timestamptz) <= (SELECT clock_timestamp())
    LIMIT %(most)s
) AS counted
