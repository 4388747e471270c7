-- A policy under a new name takes over its predecessor's state and agenda.
WITH renamed AS (
    UPDATE lifecycle_policy SET name = %(new)s WHERE name = %(old)s RETURNING name
)
SELECT lifecycle.write_v1('policy_changed', name, %(model)s, NULL, 0, NULL, NULL, NULL,
    jsonb_build_object('previously', %(old)s::text), NULL)
FROM renamed
