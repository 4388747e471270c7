-- name: events
-- What the ledger holds, as it lies in the table.
-- params:
SELECT row_to_json(e)::text FROM lifecycle_event e ORDER BY id

-- name: agenda
-- params:
SELECT row_to_json(a)::text FROM lifecycle_agenda a ORDER BY event_id

-- name: exceptions
-- An exception's own number is not from the ledger.
-- params:
SELECT (to_jsonb(x) - 'id')::text FROM lifecycle_exception x ORDER BY event_id, policy, key

-- name: states
-- params:
SELECT json_build_object('name', name, 'state', state)::text FROM lifecycle_policy ORDER BY name

-- name: put_back
-- A column that a recording does not have is NULL, which the table may refuse.
-- params: events
INSERT INTO lifecycle_event
SELECT (jsonb_populate_record(NULL::lifecycle_event, each::jsonb)).* FROM unnest(%(events)s::text[]) AS each
