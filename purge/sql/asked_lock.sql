-- One worker at a time goes through an override.
SELECT count(*) FROM (
    SELECT FROM lifecycle_agenda WHERE event_id = %(event)s FOR UPDATE SKIP LOCKED
) AS entry
