-- First statement of a media batch: the lock that a pause of everything waits for, and whether all is
-- paused: some policies are, and none is enabled. Its clock readings serve the whole batch. A store may
-- take longer to answer than the site lets a transaction be idle.
SELECT set_config('lock_timeout', '300ms', true),
    set_config('idle_in_transaction_session_timeout', '0', true),
    pg_advisory_xact_lock_shared(hashtextextended('lifecycle:', 0)),
    lifecycle.now_v1(), clock_timestamp(),
    EXISTS (SELECT FROM lifecycle_policy WHERE state = 'paused')
        AND NOT EXISTS (SELECT FROM lifecycle_policy WHERE state = 'enabled')
