-- name: say_of
-- One event about a set of rows.
-- params: kind, policy, model, detail; parts: subjects
SELECT lifecycle.record_v1(%(kind)s::text, %(policy)s::text, %(model)s::text, lifecycle.sorted_v1({subjects}),
    %(detail)s::jsonb)

-- name: look_again
-- Have the rows of a release looked at now.
-- params: event
SELECT lifecycle.look_again_v1(%(event)s)

-- name: holds_of
-- The holds that stand on rows of a model, by the rows' keys; under a reference, where one is given.
-- params: model, keys, reference
SELECT hold.key, array_agg(hold.event_id ORDER BY hold.event_id)
FROM lifecycle_exception AS hold JOIN lifecycle_event AS event ON event.id = hold.event_id
WHERE hold.kind = 'hold' AND hold.policy = '' AND hold.model = %(model)s AND hold.key = ANY (%(keys)s::text[])
AND (%(reference)s::text = '' OR event.detail ->> 'reference' = %(reference)s::text)
GROUP BY hold.key

-- name: note_plan
-- params: policy, model, detail
SELECT lifecycle.plan_v1(%(policy)s::text, %(model)s::text, %(detail)s::jsonb)

-- name: may_plan
-- Whether this role may make and apply plans.
SELECT has_function_privilege('lifecycle.plan_v1(text, text, jsonb)'::regprocedure, 'EXECUTE')
