-- name: present_end
-- When a row ends now, by its columns and by a restore; NULL: it has no end, is restored without one, or does not match
-- its policy. And the clock.
-- params: policy, key, stored, resolution; parts: key
SELECT CASE WHEN matches AND due IS NOT NULL AND NOT coalesce(restored.endless, false)
    THEN greatest(lifecycle.tick_v1(lifecycle.finite_v1(due::timestamptz), %(resolution)s), restored.until) END,
    lifecycle.now_v1()
FROM (
    SELECT bool_or(until IS NULL) AS endless, max(until) AS until FROM lifecycle_exception
    WHERE policy = %(policy)s AND kind = 'restored' AND key = %(stored)s) AS restored
LEFT JOIN ({state_sql}) AS state ON state.key = {key}
