-- Have rows that could not end tried again now: the agenda entry of a `blocked` event is settled, and listed again as
-- due, with its tombstone and the erasure that asked for it. NULL where it is not on the agenda any more, or a worker is
-- at it. For whoever may end the rows, and nobody else.
CREATE FUNCTION lifecycle.retry_v1(p_event bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    entry @tables@.lifecycle_agenda;
    said @tables@.lifecycle_event;
BEGIN
    SELECT * INTO said FROM @tables@.lifecycle_event WHERE id = p_event AND kind = 'blocked' AND policy <> '';
    IF NOT FOUND OR said.detail ? 'window' THEN
        RETURN NULL;
    END IF;
    IF NOT lifecycle.may_say_v1(said.model, NULL) THEN
        RAISE EXCEPTION 'only who may write the rows of % may have them tried again', said.model
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    SELECT * INTO entry FROM ONLY @tables@.lifecycle_agenda WHERE event_id = p_event FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    RETURN lifecycle.write_v1('expiry_scheduled', entry.policy, said.model, NULL, said.count,
        coalesce(said.basis, said.id), lifecycle.now_v1(), NULL,
        jsonb_strip_nulls(jsonb_build_object('relisted', 'retried', 'tombstone', entry.tombstone,
            'reference', said.detail -> 'reference', 'erasure', CASE WHEN said.detail ? 'reference'
                THEN coalesce(said.detail -> 'erasure', to_jsonb(said.id)) END)),
        ARRAY[p_event]);
END $$
