-- name: key_text
-- The text that a key has in the ledger.
-- params: key
SELECT {key}
