-- name: worker_is_there
-- Whether the worker that carries this name has a connection.
SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = %(name)s)
