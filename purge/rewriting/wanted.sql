-- name: as_text
-- A value as PostgreSQL writes it in a type.
-- params: value; parts: type
SELECT (%(value)s::text::{type})::text
