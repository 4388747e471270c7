-- name: look
-- Which server this is and since when it runs, how long the log is, and whether an alarm stands.
SELECT pg_postmaster_start_time(), current_database(), pg_is_in_recovery(),
    log.incarnation, log.size, log.alarm ->> 'kind', log.alarm ->> 'text'
FROM (SELECT) AS always LEFT JOIN (
    SELECT incarnation, size, alarm FROM lifecycle_log ORDER BY incarnation DESC LIMIT 1) AS log ON true
