-- Of rows that are due later, those that no other agenda entry lists at exactly that time.
WITH later AS MATERIALIZED (
    SELECT * FROM unnest(%(keys)s::{kind}[], %(dues)s::timestamptz[]) AS later (key, due)
), listed AS MATERIALIZED (
    SELECT DISTINCT key::{kind} AS key, due_at
    FROM lifecycle_agenda, lifecycle.keys_v1(event_id) AS key
    WHERE policy = %(policy)s AND due_at IN (SELECT due FROM later)
    AND event_id <> ALL (%(entries)s)
)
SELECT count(*), array_agg(key ORDER BY due, key)::text, array_agg(due ORDER BY due, key)::text
FROM later WHERE NOT EXISTS (
    SELECT FROM listed WHERE listed.key = later.key AND listed.due_at = later.due)
