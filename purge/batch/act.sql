-- name: events_since
-- The `purged` events of this run after a number.
-- params: before, run, model
SELECT id FROM lifecycle_event
WHERE id > %(before)s AND run = %(run)s AND kind = 'purged' AND model = %(model)s ORDER BY id

-- name: update
-- Set the columns of an `Update`.
-- parts: assignments, rows
UPDATE {table} SET {assignments} WHERE {rows}

-- name: still_matching
-- How many rows just updated the policy would update again.
-- params: now; parts: rows
SELECT count(*) FROM ({state_sql}) AS state
WHERE {rows} AND matches AND lifecycle.finite_v1(due::timestamptz) <= %(now)s

-- name: identities
-- The identities of rows of the batch, in the order of their keys; a part of the event's INSERT.
-- parts: bytes, order, rows
(SELECT lifecycle.identities_v1(array_agg(bytes ORDER BY {order}))
 FROM (SELECT {own_key} AS key, {bytes} AS bytes FROM {table} WHERE {rows}) AS named)
