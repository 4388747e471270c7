-- Of some windows those of which the agenda has no entry that still waits to be looked at. One that
-- lists what was kept, held or blocked, or that is tombstoned, does not stand for rows that come now.
CREATE FUNCTION lifecycle.unlisted_v1(p_policy text, p_starts timestamptz[]) RETURNS timestamptz[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT array_agg(start) FROM unnest(p_starts) AS start WHERE NOT EXISTS (
        SELECT FROM @tables@.lifecycle_agenda AS entry
        JOIN @tables@.lifecycle_event AS event ON event.id = entry.event_id
        WHERE entry.policy = p_policy AND entry.window_at = start AND entry.tombstone IS NULL
        AND event.kind = 'expiry_scheduled' AND event.detail ->> 'relisted' IS DISTINCT FROM 'held')
$$
