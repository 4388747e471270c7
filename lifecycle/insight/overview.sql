-- name: ledger_size
-- About how many events there are, by the planner's count or the last number, whichever is less; whether all is paused.
SELECT least(greatest(class.reltuples, 0)::bigint + CASE WHEN class.reltuples <= 0 THEN last ELSE 0 END, last), lifecycle.all_paused_v1()
FROM pg_class AS class, coalesce((SELECT max(id) FROM lifecycle_event), 0) AS last
WHERE class.oid = 'lifecycle_event'::regclass
