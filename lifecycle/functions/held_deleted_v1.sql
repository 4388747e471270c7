-- Held rows that the host itself has deleted, while their hold is in force: a line for each hold and row.
-- Under a hold on a whole table `key` is empty, and `rows` is how many the event has taken.
CREATE FUNCTION lifecycle.held_deleted_v1() RETURNS TABLE (
    hold bigint, policy text, model text, key text, rows bigint, event bigint, at timestamptz, actor text
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 10 AS $$
    SELECT held.event_id, held.policy, event.model, held.key,
        CASE WHEN held.policy <> '' THEN event.count ELSE 1 END, event.id, event.recorded_at, event.actor
    FROM @tables@.lifecycle_event AS event
    JOIN @tables@.lifecycle_exception AS held
        ON held.event_id = ANY (ARRAY(
            SELECT number::bigint FROM jsonb_array_elements_text(CASE jsonb_typeof(event.detail -> 'held')
                WHEN 'array' THEN event.detail -> 'held' END) AS number
            WHERE number ~ '^[0-9]{1,18}$'))
        AND (held.key = '' AND held.policy <> '' OR held.key = ANY (ARRAY(SELECT lifecycle.keys_v1(event.id))))
    WHERE event.detail ? 'held' AND lifecycle.in_force_v1(held.until, lifecycle.now_v1())
$$
