-- name: erase_lock
-- Lock one row, and its parents' rows, before anything else; its key as the ledger writes it.
SELECT {column}::text FROM {tables} WHERE {column} = %(key)s::text::{type} FOR UPDATE
