-- name: note
-- A line for each event of this run about rows of a model, and each that wants to be told of it. Numbers only: the keys are
-- in the event.
-- params: before, run, names, models
INSERT INTO purge_delivery (subscriber, event, model, policy, rows, made_at, due_at, attempts, token, error)
SELECT said.name, event.id, event.model, event.policy, event.count, event.recorded_at, event.recorded_at, 0,
    gen_random_uuid(), ''
FROM lifecycle_event AS event JOIN unnest(%(names)s::text[], %(models)s::text[]) AS said (name, model)
    ON said.model = event.model
WHERE event.id > %(before)s AND event.run = %(run)s AND event.kind = 'purged'
AND (event.basis IS NOT NULL OR num_nonnulls(event.subjects_bigint, event.subjects_uuid, event.subjects_text, event.subjects_range) > 0)
ON CONFLICT (subscriber, event) DO NOTHING
