-- name: archive_lock
-- Take the lock until the end of the transaction; false where another worker has it.
-- params: policy
SELECT pg_try_advisory_xact_lock(hashtextextended('lifecycle:archive:' || %(policy)s::text, 0))
