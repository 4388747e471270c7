-- name: archive_lock
-- Take the lock until the end of the transaction; false where another worker has it.
-- params: name
SELECT lifecycle.try_lock_v1(%(name)s)
