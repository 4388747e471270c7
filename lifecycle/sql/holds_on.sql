-- The holds on a row, on a policy, under a reference, or one by its number.
SELECT DISTINCT event_id, policy, model FROM lifecycle_exception
WHERE kind = 'hold' AND CASE
    WHEN %(event)s::bigint IS NOT NULL THEN event_id = %(event)s::bigint
    WHEN %(policy)s::text IS NOT NULL THEN policy = %(policy)s::text
    WHEN %(reference)s::text IS NOT NULL THEN event_id IN (
        SELECT id FROM lifecycle_event
        WHERE kind = 'hold_placed' AND detail ->> 'reference' = %(reference)s::text)
    ELSE model = %(model)s::text AND key = %(key)s::text END
ORDER BY event_id
