-- What is over. Not at the first look without it: a row that is blocked may be locked for a moment,
-- and what comes and goes at its limit is told once.
UPDATE purge_alert AS alert SET ended_at = lifecycle.now_v1()
WHERE ended_at IS NULL AND CASE kind
    WHEN 'look' THEN false
    WHEN 'halted' THEN NOT EXISTS (
        SELECT FROM lifecycle_policy AS state WHERE state.name = alert.policy AND state.state = 'halted')
    WHEN 'capture_failed' THEN seen_at < lifecycle.now_v1() - interval '24 hours' OR EXISTS (
        SELECT FROM lifecycle_policy AS state
        WHERE state.name = alert.policy AND state.declared_at > alert.seen_at)
    ELSE seen_at < lifecycle.now_v1() - interval '10 minutes' END
RETURNING kind, policy, cause
