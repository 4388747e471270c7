-- name: alone
-- Take the lock that only one worker has; false where another one has it.
-- params: name
SELECT lifecycle.try_lock_v1(%(name)s)

-- name: take
-- Lock a partition: its name, its bounds, and why it cannot go.
-- params: policy, until
SELECT name, low, high, problem FROM lifecycle.take_partition_v1(%(policy)s, %(until)s::timestamptz)

-- name: drop
-- Record its rows as purged and drop it, if that is before a moment: '', or why not.
-- params: policy, until, rows, run, before
SELECT lifecycle.drop_partition_v1(%(policy)s, %(until)s::timestamptz, %(rows)s, %(run)s, %(before)s::timestamptz)

-- name: events
-- The `purged` events of this run after a number.
-- params: policy, run, before
SELECT id FROM lifecycle_event
WHERE id > %(before)s AND policy = %(policy)s AND kind = 'purged' AND run IS NOT DISTINCT FROM %(run)s ORDER BY id

-- name: clock
SELECT lifecycle.now_v1()
