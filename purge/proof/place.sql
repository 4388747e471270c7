-- name: place
-- Which server and database this is: the identifier that a server is made with, its timeline, which every promotion
-- and every recovery to a point in time changes, the database, and since when the server runs.
SELECT (SELECT system_identifier::text FROM pg_control_system()),
    (SELECT timeline_id FROM pg_control_checkpoint()),
    (SELECT oid::bigint FROM pg_database WHERE datname = current_database()), current_database()::text,
    extract(epoch FROM pg_postmaster_start_time())::text
