-- Take events out of the ledger that its log has: of those that are given, the ones that `prunable_v1` gives, at most
-- up to the last covered event, so that the segments still tell where a key was. An event of the same transaction lists
-- them, and says of before when; without it the ledger's guard lets no row go. Returns how many.
-- Whoever calls has read them back from the store: see `purge/proof/prune.py`.
CREATE FUNCTION lifecycle.prune_v1(p_events bigint[], p_upto bigint, p_before timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    going bigint[];
    said bigint;
BEGIN
    IF p_upto > (SELECT coalesce(max(last), 0) FROM @tables@.lifecycle_segment WHERE model = '')
       OR p_before >= lifecycle.now_v1() THEN
        RAISE EXCEPTION 'lifecycle: events up to % are not covered, or not older than now', p_upto;
    END IF;
    going := ARRAY(SELECT may_go.event FROM lifecycle.prunable_v1(p_upto, p_before) AS may_go
                   WHERE may_go.event = ANY (p_events) ORDER BY 1);
    IF cardinality(going) = 0 THEN
        RETURN 0;
    END IF;
    said := lifecycle.write_v1('pruned', '', '', ROW(going, NULL, NULL, NULL)::lifecycle.subjects, cardinality(going),
        NULL, NULL, NULL, jsonb_build_object('from', going[1], 'upto', going[cardinality(going)], 'before', to_char(p_before, 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"')), NULL);
    PERFORM set_config('lifecycle.pruning', said::text, true);
    DELETE FROM @tables@.lifecycle_event AS event WHERE event.id = ANY (going);
    PERFORM set_config('lifecycle.pruning', '', true);
    RETURN cardinality(going);
END $$
