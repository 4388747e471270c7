-- Events after `p_since` that give a row under an old key a new end in the past, so that an
-- earlier tombstone does not count for it: rows that were past their end and changed or were
-- restored, and, where rows of the table are gone meanwhile, rows that were written with an end in
-- the past.
CREATE FUNCTION lifecycle.renewed_v1(p_policy text, p_model text, p_since bigint)
RETURNS TABLE (id bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 1 AS $$
    SELECT event.id FROM @tables@.lifecycle_event event
    WHERE event.policy IN (SELECT lifecycle.names_v1(p_policy))
    AND event.id > p_since AND event.detail ? 'again'
    UNION
    SELECT event.id FROM @tables@.lifecycle_event event
    WHERE event.policy IN (SELECT lifecycle.names_v1(p_policy))
    AND event.id > p_since AND event.detail ? 'late'
    AND EXISTS (SELECT FROM @tables@.lifecycle_event ended
        WHERE ended.model = p_model AND ended.id > p_since AND ended.id < event.id
        AND ended.kind IN ('deleted', 'truncated', 'purged'))
$$
