-- name: key_text
-- The text that a key has in the ledger.
SELECT %(key)s::{type}::text
