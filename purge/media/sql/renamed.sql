-- What a model is called now that was renamed, or moved to another app, with its policy.
WITH RECURSIVE names AS (
    SELECT %(model)s::text AS model, 0::bigint AS id
    UNION
    SELECT told.model, told.id FROM names JOIN lifecycle_event AS told
        ON told.kind = 'policy_changed' AND told.detail ->> 'formerly' = names.model AND told.id > names.id
)
SELECT model FROM names WHERE id > 0 ORDER BY id DESC LIMIT 1
