-- Keep what was found of one chunk. Of several endings of a key the last counts, or the last one
-- whose identity the row has.
INSERT INTO purge_returned (run, model, key, updates, event, names, same, identity)
SELECT DISTINCT ON (key) %(run)s, %(model)s, key, %(updates)s, event, %(names)s, same, identity
FROM ({search}) AS found ORDER BY key, coalesce(same, false) DESC, event DESC
ON CONFLICT (run, model, key, updates) DO UPDATE
    SET event = EXCLUDED.event, names = EXCLUDED.names, same = EXCLUDED.same, identity = EXCLUDED.identity
    WHERE (coalesce(EXCLUDED.same, false), EXCLUDED.event)
        > (coalesce(purge_returned.same, false), purge_returned.event)
