-- name: prepare
-- First statement of a batch: short waits, and the lock that pause and holds on the policy wait for.
-- Sets of keys go to Python and back as text: exactly, whatever the settings of role and database.
-- params: policy
SELECT set_config('lock_timeout', '300ms', true),
    set_config('datestyle', 'ISO, YMD', true), set_config('intervalstyle', 'postgres', true),
    set_config('extra_float_digits', '1', true), set_config('bytea_output', 'hex', true),
    lifecycle.share_lock_v1(%(policy)s)

-- name: record
-- What one batch did, counted in the batch's own transaction, so that the counts of a killed run are
-- complete.
-- params: run, now, tombstoned, purged, updated, kept, held, blocked, locked
UPDATE purge_run SET last_batch_at = %(now)s, batches = batches + 1,
    tombstoned = tombstoned + %(tombstoned)s, purged = purged + %(purged)s,
    updated = updated + %(updated)s, kept = kept + %(kept)s, held = held + %(held)s,
    blocked = blocked + %(blocked)s, locked = locked + %(locked)s
WHERE id = %(run)s
