-- name: move_policy
-- A policy's model has another name now, and so have the rows that are held.
-- params: model, policy, formerly
WITH moved AS (
    UPDATE lifecycle_policy SET model = %(model)s WHERE name = %(policy)s RETURNING name, model
)
SELECT lifecycle.write_v1('policy_changed', name, model, NULL, 0, NULL, NULL, NULL,
    jsonb_build_object('formerly', %(formerly)s::text), NULL)
FROM moved
