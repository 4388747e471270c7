-- Put an event that has a due time on the agenda, with the tombstone that its rows already have.
-- Media are of no policy, and are listed under none.
-- One that had passed when it was recorded falls due then: the pulse looks back minutes, not years.
-- Of a window nobody has counted the rows: it counts as one.
CREATE FUNCTION lifecycle.list_v1(told @tables@.lifecycle_event) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    tombstone bigint := CASE told.kind WHEN 'tombstoned' THEN told.id
                    ELSE (told.detail ->> 'tombstone')::bigint END;
BEGIN
    IF told.due_at IS NULL OR told.policy = '' AND NOT told.detail ? 'names' THEN
        RETURN;
    END IF;
    INSERT INTO @tables@.lifecycle_agenda
        (event_id, policy, due_at, window_at, count, attempts, tombstone, tombstoned_at)
    VALUES (told.id, told.policy, greatest(told.due_at, told.recorded_at),
        (told.detail ->> 'window')::timestamptz,
        CASE WHEN told.detail ? 'window' THEN greatest(told.count, 1) ELSE told.count END,
        coalesce((told.detail ->> 'attempts')::int, 0), tombstone,
        CASE WHEN tombstone = told.id THEN told.recorded_at
             WHEN tombstone IS NOT NULL
             THEN (SELECT recorded_at FROM @tables@.lifecycle_event WHERE id = tombstone) END);
END $$
