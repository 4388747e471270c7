-- name: lock
-- Lock one row, and its parents' rows, before anything else; its key as the ledger writes it.
-- params: key; parts: tables
SELECT {column}::text FROM {tables} WHERE {column} = %(key)s::text::{type} FOR UPDATE
