-- The policies that have something due, leaving out those that are stopped or held.
SELECT name, fingerprint FROM lifecycle_policy AS state
WHERE state.state = 'enabled'
AND NOT EXISTS (SELECT FROM lifecycle_exception AS held
    WHERE held.kind = 'hold' AND held.model = state.model AND held.key = ''
    AND (held.until IS NULL OR held.until > lifecycle.now_v1()))
AND EXISTS (SELECT FROM lifecycle_agenda AS entry
    WHERE entry.policy = state.name AND due_at <= (SELECT lifecycle.now_v1())
    AND due_at >= %(since)s)
ORDER BY name
