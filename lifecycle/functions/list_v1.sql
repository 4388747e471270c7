-- Put an event that has a due time on the agenda, with the tombstone that its rows already have.
-- Media are of no policy, and are listed under none.
-- One that had passed when it was recorded falls due then: the pulse looks back minutes, not years.
-- Of a window nobody has counted the rows: it counts as one.
CREATE FUNCTION lifecycle.list_v1(event @tables@.lifecycle_event) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    tombstone bigint := CASE event.kind WHEN 'tombstoned' THEN event.id
                    ELSE (event.detail ->> 'tombstone')::bigint END;
BEGIN
    IF event.due_at IS NULL OR event.policy = '' AND NOT event.detail ? 'names' THEN
        RETURN;
    END IF;
    INSERT INTO @tables@.lifecycle_agenda
        (event_id, policy, due_at, window_at, count, attempts, tombstone, tombstoned_at)
    VALUES (event.id, event.policy, greatest(event.due_at, event.recorded_at),
        (event.detail ->> 'window')::timestamptz,
        CASE WHEN event.detail ? 'window' THEN greatest(event.count, 1) ELSE event.count END,
        coalesce((event.detail ->> 'attempts')::int, 0), tombstone,
        CASE WHEN tombstone = event.id THEN event.recorded_at
             WHEN tombstone IS NOT NULL
             THEN (SELECT recorded_at FROM @tables@.lifecycle_event WHERE id = tombstone) END);
END $$
