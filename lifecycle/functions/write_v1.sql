-- Append one event and apply it to the projections: the way into the ledger of all that is not one row written
-- by the site (`scheduled_one_v1`, `ended_one_v1`).
-- A set that the event shares with an earlier one is not written again: give `basis`, no subjects.
-- Cause and actor are cut to what fits: no write of the host fails for a long one. They are what the
-- session says, see `claimed_v1`.
-- Whoever comes while a dump is being restored is refused; triggers have gone before they come here.
-- Where rows of the ledger were loaded with numbers that its sequence has not given, it moves past them.
CREATE FUNCTION lifecycle.write_v1(
    p_kind text, p_policy text, p_model text, p_subjects lifecycle.subjects, p_count bigint,
    p_basis bigint, p_due timestamptz, p_run bigint, p_detail jsonb, p_settled bigint[],
    p_identities bytea DEFAULT NULL
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    event @tables@.lifecycle_event;
    given bigint;
    actor CONSTANT text := lifecycle.setting_v1('actor');
    cause CONSTANT text := lifecycle.setting_v1('cause');
BEGIN
    IF pg_sequence_last_value('lifecycle.in_use') IS NULL THEN
        RAISE EXCEPTION 'lifecycle: nothing can be recorded before all data of this database is restored'
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Then: `manage.py lifecycle install`';
    END IF;
    IF actor IS NOT NULL OR cause IS NOT NULL THEN
        p_detail := p_detail || lifecycle.claimed_v1();
    END IF;
    LOOP
        given := nextval('@tables@.lifecycle_event_id_seq');
        INSERT INTO @tables@.lifecycle_event (
            id, kind, policy, model, subjects_bigint, subjects_uuid, subjects_text, subjects_range,
            count, basis, due_at, recorded_at, cause, actor, run, detail, settled,
            identities)
        SELECT
            given, p_kind, p_policy, p_model, p_subjects.bigints, p_subjects.uuids, p_subjects.texts,
            p_subjects.span, p_count, p_basis, p_due, lifecycle.now_v1(),
            left(coalesce(p_detail ->> 'cause', cause, ''), 100),
            left(coalesce(actor, ''), 200), p_run, p_detail - 'cause', p_settled,
            p_identities
        WHERE current_setting('transaction_isolation') = 'serializable'  -- see `scheduled_one_v1`
            OR NOT EXISTS (SELECT FROM @tables@.lifecycle_pending WHERE id = given)
        ON CONFLICT (id) DO NOTHING RETURNING * INTO event;
        EXIT WHEN FOUND;
        PERFORM setval(number, greatest(max(id), pg_sequence_last_value(number))) FROM @tables@.lifecycle_event,
            CAST(pg_get_serial_sequence('@tables@.lifecycle_event', 'id') AS regclass) AS number GROUP BY number;
    END LOOP;
    IF event.kind = 'expiry_scheduled' AND event.settled IS NULL AND NOT event.detail ? 'dropped' THEN
        PERFORM lifecycle.list_v1(event);
    ELSE
        PERFORM lifecycle.apply_v1(event);
    END IF;
    RETURN event.id;
END $$
