-- name: logs
SELECT incarnation FROM lifecycle_log ORDER BY incarnation

-- name: unsealed
-- Events of the table, up to a number, that no log has.
-- params: last
SELECT id FROM lifecycle_event WHERE id <= %(last)s EXCEPT SELECT unnest(events) FROM lifecycle_seal ORDER BY 1
