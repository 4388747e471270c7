-- name: claim
-- The line that is due first, which nobody else gets until the lease is over.
-- params: names, lease
UPDATE purge_delivery SET attempts = attempts + 1, due_at = lifecycle.now_v1() + %(lease)s
WHERE id = (
    SELECT id FROM purge_delivery WHERE due_at <= (SELECT lifecycle.now_v1()) AND subscriber = ANY (%(names)s)
    ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id, subscriber, event, model, policy, token::text, attempts

-- name: keys
-- The keys of an event, in the column's type, and when it was; NULL where it is not there.
-- params: event; parts: typed
SELECT ARRAY(SELECT {typed} FROM lifecycle.keys_v1(%(event)s) AS key),
    (SELECT recorded_at FROM lifecycle_event WHERE id = %(event)s)

-- name: renamed
-- The label that a model has now which was renamed, or moved to another app, with its policy after an event.
-- params: model, event
WITH RECURSIVE names AS (
    SELECT %(model)s::text AS model, %(event)s::bigint AS id
    UNION
    SELECT event.model, event.id FROM names JOIN lifecycle_event AS event
        ON event.kind = 'policy_changed' AND event.detail ->> 'formerly' = names.model AND event.id > names.id
)
SELECT model FROM names WHERE id > %(event)s ORDER BY id DESC LIMIT 1

-- name: answered
-- params: number, token
DELETE FROM purge_delivery WHERE id = %(number)s AND token = %(token)s::uuid

-- name: sent
-- Told, and to be answered later. Told again after `wait`, unless another worker has taken it meanwhile.
-- params: number, token, wait, attempt
UPDATE purge_delivery SET sent_at = lifecycle.now_v1(), due_at = lifecycle.now_v1() + %(wait)s, error = ''
WHERE id = %(number)s AND token = %(token)s::uuid AND attempts = %(attempt)s

-- name: failed
-- params: number, token, wait, attempt, error
UPDATE purge_delivery SET due_at = lifecycle.now_v1() + %(wait)s, error = %(error)s
WHERE id = %(number)s AND token = %(token)s::uuid AND attempts = %(attempt)s
