-- Take events out of the ledger that its log has: those that are given, where they are just those that `prunable_v1`
-- gives up to a number, at most up to the last covered event, so that the segments still tell where a key was. All of
-- them in one transaction: of what belongs together nothing stays. Events of the same transaction list them, 10,000
-- each, and say of before when; without such a one the ledger's guard lets no row go. Returns how many; 0 where others
-- may go by now. Whoever calls has read them back from the store: see `purge/proof/prune.py`.
CREATE FUNCTION lifecycle.prune_v1(p_events bigint[], p_upto bigint, p_before timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    going bigint[];
    part bigint[];
    said bigint;
BEGIN
    IF p_upto > (SELECT coalesce(max(last), 0) FROM @tables@.lifecycle_segment WHERE model = '')
       OR p_before >= lifecycle.now_v1() THEN
        RAISE EXCEPTION 'lifecycle: events up to % are not covered, or not older than now', p_upto;
    END IF;
    going := ARRAY(SELECT may_go.event FROM lifecycle.prunable_v1(p_upto, p_before) AS may_go ORDER BY 1);
    IF going IS DISTINCT FROM ARRAY(SELECT given FROM unnest(p_events) AS given ORDER BY 1) THEN
        RETURN 0;
    END IF;
    FOR start IN 1 .. cardinality(going) BY 10000 LOOP
        part := going[start:start + 9999];
        said := lifecycle.write_v1('pruned', '', '', ROW(part, NULL, NULL, NULL)::lifecycle.subjects, cardinality(part),
            NULL, NULL, NULL, jsonb_build_object('from', part[1], 'upto', part[cardinality(part)], 'before',
                to_char(p_before, 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"')), NULL);
        PERFORM set_config('lifecycle.pruning', said::text, true);
        DELETE FROM @tables@.lifecycle_event AS event WHERE event.id = ANY (part);
    END LOOP;
    PERFORM set_config('lifecycle.pruning', '', true);
    RETURN cardinality(going);
END $$
