-- name: last_event
-- The latest number that the ledger has given out.
SELECT last_value FROM lifecycle_event_id_seq
