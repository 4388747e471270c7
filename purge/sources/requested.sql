-- name: pending
-- Overrides of a policy that wait for a worker: agenda entries without rows.
-- params: policy; parts: is_override
SELECT event.id, event.actor, make_interval(secs => (event.detail ->> 'within')::float),
    event.detail ? 'grace', make_interval(secs => (event.detail ->> 'older_than')::float),
    CASE WHEN event.detail ? 'without'
         THEN ARRAY(SELECT jsonb_array_elements_text(event.detail -> 'without')) END
FROM ONLY lifecycle_agenda AS entry JOIN lifecycle_event AS event ON event.id = entry.event_id
WHERE entry.policy = %(policy)s AND {is_override} ORDER BY event.id

-- name: how_many
-- How many rows would end within a time, counted no further than `most`. Rows that are tombstoned
-- were counted against the cap before.
-- params: policy, model, within, most; parts: held, restored
SELECT count(*) FROM (
    SELECT FROM ({state_sql}) AS state
    WHERE matches AND NOT keep
    AND lifecycle.finite_v1(due::timestamptz) - %(within)s::interval <= (SELECT lifecycle.now_v1())
    AND NOT {held} AND NOT {restored}
    AND key NOT IN (
        SELECT key::{type} FROM lifecycle_agenda, lifecycle.keys_v1(event_id) AS key
        WHERE policy = %(policy)s AND tombstone IS NOT NULL)
    LIMIT %(most)s
) AS counted

-- name: lock_override
-- One worker at a time goes through an override: 1 where it is this one.
-- params: event
SELECT count(*) FROM (
    SELECT FROM ONLY lifecycle_agenda WHERE event_id = %(event)s FOR UPDATE SKIP LOCKED
) AS entry

-- name: next_rows
-- The next rows by their key that would end within a time: how many, their keys, the last of them.
-- params: reached, now, within, rows
WITH chunk AS MATERIALIZED (
    SELECT key FROM ({state_sql}) AS state
    WHERE (%(reached)s::text IS NULL OR key > %(reached)s::text::{type})
    AND matches AND lifecycle.finite_v1(due::timestamptz) - %(within)s::interval <= %(now)s
    ORDER BY key LIMIT %(rows)s
)
SELECT count(*), array_agg({stored_key} ORDER BY {stored_key})::text,
    (SELECT {stored_key}::text FROM chunk ORDER BY chunk.key DESC LIMIT 1)
FROM chunk
