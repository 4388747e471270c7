-- What a worker asks once a second: the version of the package's part of the database and whether its
-- sequences are set, the time, the policies that may act with what they are declared as, whether
-- anything of theirs, or of the media, is due, and the number of the last event. One look into the index
-- for each, by a kept plan.
CREATE FUNCTION lifecycle.beat_v1(
    p_since timestamptz, p_media text, OUT version text, OUT in_use boolean, OUT clock timestamptz,
    OUT acting text, OUT due boolean, OUT numbered bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET jit = off SET enable_sort = off AS $$
DECLARE names text[];
BEGIN
    version := obj_description(to_regnamespace('lifecycle'), 'pg_namespace');
    in_use := pg_sequence_last_value('lifecycle.in_use'::regclass) IS NOT NULL;
    clock := lifecycle.now_v1();
    numbered := coalesce(pg_sequence_last_value('@tables@.lifecycle_event_id_seq'::regclass), 0);
    SELECT string_agg(state.name || ' ' || state.fingerprint, ',' ORDER BY state.name), array_agg(state.name)
        INTO acting, names FROM @tables@.lifecycle_policy AS state
        WHERE state.state = 'enabled' AND NOT EXISTS (
            SELECT FROM @tables@.lifecycle_exception AS hold
            WHERE hold.kind = 'hold' AND hold.model = state.model AND hold.key = '' AND hold.policy <> ''
            AND lifecycle.in_force_v1(hold.until, clock));
    IF NOT lifecycle.all_paused_v1() THEN
        acting := concat(acting, ',', p_media);
        names := array_append(names, p_media);
    END IF;
    due := EXISTS (SELECT FROM unnest(names) AS one (name) CROSS JOIN LATERAL (
        SELECT entry.policy FROM ONLY @tables@.lifecycle_agenda AS entry
        WHERE entry.policy = one.name AND entry.due_at <= clock AND entry.due_at >= p_since
        ORDER BY entry.policy, entry.due_at LIMIT 1) AS nearest);
END $$
