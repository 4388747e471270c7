-- The holds on a row, on a policy, or one by its number.
SELECT DISTINCT event_id, policy, model FROM lifecycle_exception
WHERE kind = 'hold' AND CASE
    WHEN %(event)s::bigint IS NOT NULL THEN event_id = %(event)s::bigint
    WHEN %(policy)s::text IS NOT NULL THEN policy = %(policy)s::text
    ELSE model = %(model)s::text AND key = %(key)s::text END
ORDER BY event_id
