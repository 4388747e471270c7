-- name: policy_now
-- The row of a policy. Run after the lock on it, so that a pause or a hold that was committed is seen.
-- params: policy
SELECT state.state, state.fingerprint, lifecycle.now_v1(),
    EXISTS (SELECT FROM lifecycle_exception AS hold
            WHERE hold.kind = 'hold' AND hold.model = state.model AND hold.key = ''
            AND lifecycle.in_force_v1(hold.until, lifecycle.now_v1())),
    state.state_sql, pg_catalog.clock_timestamp()
FROM lifecycle_policy AS state WHERE state.name = %(policy)s

-- name: count_against_cap
-- Count rows against the policy's cap, by the hour; hours past the window are forgotten.
-- params: policy, now, rows
WITH clock AS (
    SELECT to_char(%(now)s::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24') AS hour,
        to_char(%(now)s::timestamptz AT TIME ZONE 'UTC' - interval '24 hours', 'YYYY-MM-DD"T"HH24') AS oldest
), counted AS (
    UPDATE lifecycle_policy SET spent = (
        SELECT coalesce(jsonb_object_agg(key, value), '{{}}') FROM jsonb_each(spent)
        WHERE CASE WHEN starts_with(key, 'allowed') THEN substr(key, 9, 13) > oldest
                   ELSE key >= oldest END
    ) || jsonb_build_object(hour, coalesce((spent ->> hour)::bigint, 0) + %(rows)s::bigint)
    FROM clock WHERE name = %(policy)s
    RETURNING spent
)
SELECT sum(value::bigint) FILTER (WHERE NOT starts_with(key, 'allowed'))::bigint,
    coalesce(sum(value::bigint) FILTER (WHERE starts_with(key, 'allowed')), 0)::bigint
FROM counted, jsonb_each_text(spent)
