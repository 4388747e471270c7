-- The ledger, one line for each event and subject; `key` is NULL where an event has no subjects.
-- A policy that was renamed since goes by the name it has now.
CREATE FUNCTION lifecycle.story_v1() RETURNS TABLE (
    id bigint, kind text, policy text, model text, key text, due_at timestamptz,
    recorded_at timestamptz, cause text, actor text, detail jsonb
)
LANGUAGE sql STABLE AS $$
    WITH RECURSIVE renamed AS (
        SELECT event.id, event.detail ->> 'previously' AS old, event.policy AS new
        FROM @tables@.lifecycle_event AS event
        WHERE event.kind = 'policy_changed' AND event.detail ? 'previously'
    ), became AS (
        SELECT renamed.id, renamed.old AS name, renamed.id AS last, renamed.new AS now FROM renamed
        UNION
        SELECT became.id, became.name, renamed.id, renamed.new
        FROM became JOIN renamed ON renamed.old = became.now AND renamed.id > became.last
    )
    SELECT event.id, event.kind, coalesce(last.now, event.policy), event.model, subject.key, event.due_at,
        event.recorded_at, event.cause, event.actor, event.detail
    FROM @tables@.lifecycle_event AS event
    LEFT JOIN LATERAL (
        SELECT became.now FROM became WHERE became.name = event.policy AND became.id > event.id
        ORDER BY became.id, became.last DESC LIMIT 1) AS last ON true
    LEFT JOIN LATERAL (
        SELECT keys.key FROM lifecycle.keys_v1(event.id) AS keys (key)
        WHERE event.kind <> 'policy_changed') AS subject ON true  -- those have none, and are not asked
$$
