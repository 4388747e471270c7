-- First statement of a batch: short waits, the lock that pause and holds on the policy wait for,
-- and the state of the policy. Its clock reading serves the whole batch.
SELECT set_config('lock_timeout', '300ms', true),
    pg_advisory_xact_lock_shared(hashtextextended('lifecycle:' || %(policy)s::text, 0))
