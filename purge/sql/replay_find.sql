-- Keep what was found of one chunk. Of several endings of a key the last counts, or the last one
-- whose identity the row has.
WITH found AS MATERIALIZED (
    {search}
)
INSERT INTO purge_returned
    (run, model, key, updates, event, kind, policy, recorded_at, names, same, identity)
SELECT DISTINCT ON (key) %(run)s, %(model)s, key, %(updates)s, event, told.kind, told.policy,
    told.recorded_at, %(names)s, same, identity
FROM found JOIN lifecycle_event AS told ON told.id = found.event
ORDER BY key, coalesce(same, false) DESC, event DESC
ON CONFLICT (run, model, key, updates) DO UPDATE
    SET event = EXCLUDED.event, kind = EXCLUDED.kind, policy = EXCLUDED.policy,
        recorded_at = EXCLUDED.recorded_at, names = EXCLUDED.names, same = EXCLUDED.same,
        identity = EXCLUDED.identity
    WHERE (coalesce(EXCLUDED.same, false), EXCLUDED.event)
        > (coalesce(purge_returned.same, false), purge_returned.event)
