-- What a worker does with the pending list, once a minute or sooner: the events go into the ledger proper as `move_pending_v1` has
-- it. Where a policy has a hundred rows there or more, their entries become a few that list them in sets, `relisted` as
-- `gathered`; an event settles the old ones, and names the sets: as long as one is on the agenda what it is
-- made of stays in the table. Others get an entry each. Such a set says when rows end and nothing else:
-- its number is later than what was recorded of them since, so nobody may take it for a word that they were there then.
-- A row that is there twice is left out of sets. Returns how many rows it has moved; what is being moved is left alone.
CREATE FUNCTION lifecycle.gather_pending_v1(p_most bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET jit = off SET timezone = 'UTC' AS $$
DECLARE
    taken bigint[];
    gathered bigint[] := '{}';
    low CONSTANT bigint := pg_sequence_last_value('@tables@.lifecycle_event_id_seq');
    many record;
BEGIN
    IF to_regclass('@tables@.lifecycle_pending') IS NULL OR pg_sequence_last_value('lifecycle.in_use') IS NULL THEN
        RETURN 0;  -- the package was removed, or a dump is being restored, with its ledger
    END IF;
    LOCK TABLE ONLY @tables@.lifecycle_event IN ROW EXCLUSIVE MODE;  -- before rows: see `move_pending_v1`
    taken := ARRAY(SELECT id FROM @tables@.lifecycle_pending ORDER BY id LIMIT p_most FOR UPDATE SKIP LOCKED);
    FOR many IN
        SELECT policy, model, array_agg(id) AS ids, array_agg(due_at ORDER BY due_at, a, b, c) AS dues,
            array_agg(a ORDER BY due_at, a) FILTER (WHERE a IS NOT NULL) AS bigints,
            array_agg(b ORDER BY due_at, b) FILTER (WHERE b IS NOT NULL) AS uuids,
            array_agg(c ORDER BY due_at, c) FILTER (WHERE c IS NOT NULL) AS texts
        FROM (
            SELECT id, policy, model, due_at, subjects_bigint[1] AS a, subjects_uuid[1] AS b, subjects_text[1] AS c,
                count(*) OVER (PARTITION BY policy, model, subjects_bigint, subjects_uuid, subjects_text) AS times
            FROM @tables@.lifecycle_pending AS pending WHERE pending.id = ANY (taken)
        ) AS one
        WHERE times = 1 GROUP BY policy, model, a IS NULL, b IS NULL HAVING count(*) >= 100
    LOOP
        gathered := gathered || many.ids;
        PERFORM lifecycle.scheduled_v1(many.policy, many.model,
            ROW(many.bigints, many.uuids, many.texts, NULL)::lifecycle.subjects, many.dues, '{"relisted": "gathered"}');
    END LOOP;
    PERFORM lifecycle.move_pending_v1(p_events => taken, p_wait => false, p_unlisted => gathered);
    IF gathered <> '{}' THEN
        PERFORM lifecycle.write_v1('settled', '', '', NULL, 0, NULL, NULL, NULL, jsonb_build_object('gathered', (
            SELECT jsonb_agg(id ORDER BY id) FROM @tables@.lifecycle_event
            WHERE id > low AND detail ->> 'relisted' = 'gathered')), gathered);
    END IF;
    RETURN cardinality(taken);
END $$
