-- name: unlisted
-- Of rows that are due later, those that no other agenda entry lists at exactly that time.
WITH later AS MATERIALIZED (
    SELECT * FROM unnest(%(keys)s::{kind}[], %(dues)s::timestamptz[]) AS later (key, due)
), listed AS MATERIALIZED (
    SELECT DISTINCT key::{kind} AS key, due_at
    FROM lifecycle_agenda, lifecycle.keys_v1(event_id) AS key
    WHERE policy = %(policy)s AND due_at IN (SELECT due FROM later)
    AND event_id <> ALL (%(entries)s)
)
SELECT count(*), array_agg(key ORDER BY due, key)::text, array_agg(due ORDER BY due, key)::text
FROM later WHERE NOT EXISTS (
    SELECT FROM listed WHERE listed.key = later.key AND listed.due_at = later.due)

-- name: events_since
-- The ending events of this run after a number.
SELECT id FROM lifecycle_event
WHERE id > %(before)s AND run = %(run)s AND kind = 'purged' AND model = %(model)s ORDER BY id

-- name: update
-- Rows that were locked and looked at.
UPDATE {table} SET {assignments} WHERE {rows}

-- name: still_matching
-- Rows just updated that the policy would update again.
SELECT count(*) FROM ({state_sql}) AS state
WHERE {rows} AND matches AND lifecycle.finite_v1(due::timestamptz) <= %(now)s

-- name: identities
-- The identities of rows of the batch, in the order of their keys; a part of the event's INSERT.
(SELECT lifecycle.identities_v1(array_agg(told ORDER BY {order}))
 FROM (SELECT {column}::{kind} AS key, {bytes} AS told FROM {table} WHERE {rows}) AS named)
