-- Append what people say of rows and of policies. A site's role may be given it, so it believes nothing:
-- who calls may write the table, or read it to say that he has exported of it; the kind is one of these, its detail has these fields of these forms and no
-- others, its set is of one kind, that of the table's key, of at most 10,000 and counted. When it counts from
-- follows from the kind; an expiry by hand may only `wait`, so many seconds: an Update acts after its grace,
-- which is part of its time.
CREATE FUNCTION lifecycle.record_v1(
    p_kind text, p_policy text, p_model text, p_subjects lifecycle.subjects, p_detail jsonb
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
SET standard_conforming_strings = on SET enable_seqscan = off SET jit = off AS $$
DECLARE
    fields CONSTANT jsonb := jsonb '{
        "hold_placed": {"reason": "^\"", "reference": "^\"", "until": "^(null|\"[-0-9T:.+]{10,40}\")$",
            "plan": "^\\d{1,18}$"},
        "hold_released": {"holds": "^\\[\\d+(, \\d+)*\\]$", "plan": "^\\d{1,18}$"},
        "restored": {"until": "^(null|\"[-0-9T:.+]{10,40}\")$", "again": "^true$",
            "plan": "^\\d{1,18}$"},
        "requested": {"step": "^\"(opened|asked|extended|withheld|answered|done)\"$", "request": "^\\d{1,18}$",
            "reference": "^\".+\"$", "reason": "^\"", "grace": "^\\d{1,12}(\\.\\d{1,6})?$",
            "received": "^\"[-0-9T:.+]{10,40}\"$", "deadline": "^\"[-0-9T:.+]{10,40}\"$",
            "ended": "^\"[-0-9T:.+]{10,40}\"$"},
        "exported": {"rows": "^\\d{1,18}$", "files": "^\\d{1,18}$"},
        "expired_by_hand": {"wait": "^\\d{1,10}(\\.\\d{1,6})?$"}}' -> p_kind;
    total CONSTANT bigint := lifecycle.size_v1(p_subjects);
    given_kind CONSTANT text := CASE WHEN coalesce(p_subjects.bigints::text, p_subjects.span::text) IS NOT NULL
        THEN 'bigint' WHEN p_subjects.uuids IS NOT NULL THEN 'uuid' WHEN p_subjects.texts IS NOT NULL THEN 'text' END;
    first_key CONSTANT text := coalesce(lower(p_subjects.span)::text, p_subjects.bigints[1]::text,
        p_subjects.uuids[1]::text, p_subjects.texts[1], '');
    ends_at timestamptz;
    same bigint;
BEGIN
    IF fields IS NULL OR EXISTS (
        SELECT FROM jsonb_each(p_detail) WHERE NOT fields ? key OR value::text !~ (fields ->> key)
    ) THEN
        RAISE EXCEPTION 'this is not what may be recorded of %', p_model USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NOT lifecycle.may_say_v1(
        p_model, CASE WHEN p_kind = 'exported' THEN 'SELECT' WHEN p_kind NOT IN ('expired_by_hand', 'hold_released')
            AND p_detail ->> 'step' IS DISTINCT FROM 'opened' AND p_detail ->> 'step' IS DISTINCT FROM 'asked'
            THEN 'UPDATE' END) THEN
        RAISE EXCEPTION 'only who may write the rows of % may say so of them', p_model
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    ends_at := (p_detail ->> 'until')::timestamptz;
    -- What cannot be read out of the table of requests would keep all of it from being made.
    IF char_length(p_detail ->> 'reference') > 200 AND p_kind = 'requested' OR EXISTS (
        SELECT FROM jsonb_each_text(p_detail) AS said WHERE key IN ('received', 'deadline', 'ended')
        AND value::timestamptz IS DISTINCT FROM lifecycle.finite_v1(value::timestamptz)) THEN
        RAISE EXCEPTION 'this is not what may be recorded of %', p_model USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF ends_at IS DISTINCT FROM lifecycle.finite_v1(ends_at) OR total > 10000
       OR num_nonnulls(p_subjects.bigints, p_subjects.uuids, p_subjects.texts, p_subjects.span) > 1 THEN
        RAISE EXCEPTION 'this is not what may be recorded of %', p_model USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF total = 0 AND p_kind IN ('restored', 'expired_by_hand') OR p_model !~ '^\w+\.\w+$'
       OR p_policy = '' AND p_kind IN ('restored', 'expired_by_hand')
       OR p_kind = 'hold_placed' AND (p_policy <> '') <> (total = 0)
       OR p_policy <> '' AND NOT EXISTS (
           SELECT FROM @tables@.lifecycle_policy WHERE name = p_policy AND model = p_model)
       OR EXISTS (SELECT FROM @tables@.lifecycle_policy AS stored
           WHERE stored.model = p_model AND stored.key_kind <> given_kind)
       OR p_kind = 'exported' AND NOT p_detail ?& ARRAY['rows', 'files']
       OR p_kind = 'hold_released' AND NOT p_detail ? 'holds' THEN
        RAISE EXCEPTION 'there is no such row or policy of %', p_model USING ERRCODE = 'insufficient_privilege';
    END IF;
    -- A request is opened for one row; what is said of it later names that event, and is of that row. That it is done,
    -- the engine alone says.
    IF p_kind = 'requested' AND (total <> 1 OR p_policy = '' OR NOT p_detail ? 'step' OR CASE p_detail ->> 'step'
           WHEN 'opened' THEN p_detail ? 'request' OR NOT p_detail ?& ARRAY['reference', 'received', 'deadline']
           ELSE p_detail ? 'reference' OR NOT EXISTS (
               SELECT FROM @tables@.lifecycle_event AS opened
               WHERE opened.id = (p_detail ->> 'request')::bigint AND opened.kind = 'requested'
               AND opened.detail ->> 'step' = 'opened' AND opened.policy = p_policy AND opened.model = p_model
               AND (opened.subjects_bigint, opened.subjects_uuid, opened.subjects_text, opened.subjects_range)
                   IS NOT DISTINCT FROM (p_subjects.bigints, p_subjects.uuids, p_subjects.texts, p_subjects.span)) END
           OR p_detail ->> 'step' = 'done' AND NOT (session_user = current_user OR has_function_privilege(
               session_user, 'lifecycle.announce_v1(jsonb)'::regprocedure, 'EXECUTE'))) THEN
        RAISE EXCEPTION 'there is no such request of %', p_model USING ERRCODE = 'insufficient_privilege';
    END IF;
    -- Somebody else may have been first: that is no forgery.
    IF p_kind = 'hold_released' AND EXISTS (
           SELECT FROM jsonb_array_elements_text(p_detail -> 'holds') AS one (number) WHERE NOT EXISTS (
               SELECT FROM @tables@.lifecycle_exception AS hold WHERE hold.kind = 'hold'
               AND hold.event_id = number::bigint AND hold.model = p_model)) THEN
        RAISE EXCEPTION 'there is no such hold of %', p_model USING ERRCODE = 'no_data_found';
    END IF;
    -- A hold that is in force on just these rows, by the same person for the same reason, and no shorter, is
    -- this one: the callers lock the rows first, so that of two at once the second finds the first's. Of one
    -- that says neither who nor why, nobody knows whose it is.
    IF p_kind = 'hold_placed' AND coalesce(lifecycle.setting_v1('actor'), nullif(p_detail ->> 'reason', ''),
                                           nullif(p_detail ->> 'reference', '')) IS NOT NULL THEN
        SELECT min(event.id) INTO same
        FROM @tables@.lifecycle_exception AS hold
        JOIN @tables@.lifecycle_event AS event ON event.id = hold.event_id
        WHERE hold.kind = 'hold' AND hold.model = p_model
        AND hold.key = first_key
        AND lifecycle.in_force_v1(hold.until, lifecycle.now_v1())
        AND (hold.until IS NULL OR hold.until >= ends_at) AND event.policy = p_policy
        AND event.actor = left(coalesce(lifecycle.setting_v1('actor'), ''), 200)
        AND coalesce(event.detail ->> 'reason', '') = coalesce(p_detail ->> 'reason', '')
        AND coalesce(event.detail ->> 'reference', '') = coalesce(p_detail ->> 'reference', '')
        AND (event.subjects_bigint, event.subjects_uuid, event.subjects_text, event.subjects_range)
            IS NOT DISTINCT FROM (p_subjects.bigints, p_subjects.uuids, p_subjects.texts, p_subjects.span)
        AND (SELECT count(*) FROM @tables@.lifecycle_exception AS one
             WHERE one.event_id = event.id AND one.kind = 'hold') = greatest(total, 1);
    END IF;
    IF same IS NOT NULL THEN
        RETURN same;
    END IF;
    RETURN lifecycle.write_v1(p_kind, p_policy, p_model, p_subjects, total, NULL,
        CASE p_kind WHEN 'restored' THEN ends_at WHEN 'expired_by_hand' THEN lifecycle.now_v1()
            + make_interval(secs => coalesce(jsonb_extract_path_text(p_detail, 'wait')::float, 0)) END,
        NULL, p_detail - 'wait', NULL);
END $$
