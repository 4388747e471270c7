-- name: limits
-- Limits of time that the session has, in seconds; 0: none.
-- params: names
SELECT name, setting::float8 / 1000 FROM pg_settings WHERE name = ANY (%(names)s) ORDER BY name

-- name: read_only
-- Whether transactions begin as ones that only read; not of a standby, where all do.
SELECT current_setting('default_transaction_read_only')::boolean AND NOT pg_is_in_recovery()
