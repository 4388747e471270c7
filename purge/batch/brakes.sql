-- name: policy_now
-- The row of a policy. Run after the lock on it, so that a pause or a hold that was committed is seen.
-- params: policy, tables
SELECT state.state, state.fingerprint, lifecycle.now_v1(),
    EXISTS (SELECT FROM lifecycle_exception AS hold
            WHERE hold.kind = 'hold' AND hold.model = state.model AND hold.key = '' AND hold.policy <> ''
            AND lifecycle.in_force_v1(hold.until, lifecycle.now_v1())),
    state.state_sql, pg_catalog.clock_timestamp(),
    EXISTS (SELECT FROM unnest(%(tables)s::text[]) AS given (written)
            WHERE lifecycle.elsewhere_v1(to_regclass(written)))
FROM lifecycle_policy AS state WHERE state.name = %(policy)s

-- name: count_against_cap
-- Count rows against the policy's cap: those of 24 hours, those allowed beyond it.
-- params: policy, now, rows
SELECT spent, allowed FROM lifecycle.spend_v1(%(policy)s::text, %(now)s::timestamptz, %(rows)s::bigint)
