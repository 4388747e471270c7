-- name: prepare
-- First statement of a batch: short waits, the lock that pause and holds on the policy wait for,
-- and the state of the policy. Its clock reading serves the whole batch.
SELECT set_config('lock_timeout', '300ms', true),
    pg_advisory_xact_lock_shared(hashtextextended('lifecycle:' || %(policy)s::text, 0))

-- name: record
-- What one batch did, counted in the batch's own transaction: also a killed run is told in full.
UPDATE purge_run SET last_batch_at = %(now)s,
    tombstoned = tombstoned + %(tombstoned)s, purged = purged + %(purged)s,
    updated = updated + %(updated)s, kept = kept + %(kept)s, held = held + %(held)s,
    blocked = blocked + %(blocked)s, locked = locked + %(locked)s
WHERE id = %(run)s
