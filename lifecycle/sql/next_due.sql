-- The earliest time at which a policy that may act has something due, or media, which are of none.
SELECT least((
    SELECT min(entry.due_at)
    FROM lifecycle_agenda AS entry JOIN lifecycle_policy AS state ON state.name = entry.policy
    WHERE state.state = 'enabled' AND NOT EXISTS (
        SELECT FROM lifecycle_exception AS held
        WHERE held.kind = 'hold' AND held.model = state.model AND held.key = ''
        AND (held.until IS NULL OR held.until > lifecycle.now_v1()))
), (
    SELECT min(due_at) FROM lifecycle_agenda
    WHERE policy = '' AND (EXISTS (SELECT FROM lifecycle_policy WHERE state = 'enabled')
        OR NOT EXISTS (SELECT FROM lifecycle_policy WHERE state = 'paused'))
))
