-- Every event as one line of JSON, in order.
SELECT to_jsonb(told)::text FROM lifecycle_event AS told ORDER BY id
