-- First statement of a chunk: short waits, and the lock that pauses and changed policies wait for.
SELECT set_config('lock_timeout', '300ms', true),
    pg_advisory_xact_lock_shared(hashtextextended('lifecycle:' || %(policy)s::text, 0))
