-- name: lock
-- Lock one row, and its parents' rows, before anything else; its key as the ledger writes it.
-- params: key; parts: tables
SELECT {own_key}::text FROM {tables} WHERE {column} = {given} FOR UPDATE
