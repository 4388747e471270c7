-- A later statement than the lock, so that what a pause or a hold has committed is seen.
SELECT state.state, state.fingerprint, lifecycle.now_v1(),
    EXISTS (SELECT FROM lifecycle_exception AS held
            WHERE held.kind = 'hold' AND held.model = state.model AND held.key = ''
            AND (held.until IS NULL OR held.until > lifecycle.now_v1())),
    state.state_sql, state.spent, pg_catalog.clock_timestamp()
FROM lifecycle_policy AS state WHERE state.name = %(policy)s
