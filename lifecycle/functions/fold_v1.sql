-- The fold of the whole ledger into agenda, exceptions and policy states, in sets: what the events list less what
-- later ones have settled, 50,000 numbers at a time; then the few events that decide something, one by one. What
-- is there already and right is left as it is. Its memory does not grow with the ledger. Tells how far it is.
-- Raises what an event raises that cannot be applied. The same as `apply_v1` of each event in order.
CREATE FUNCTION lifecycle.fold_v1() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
    part CONSTANT bigint := 50000;
    decision @tables@.lifecycle_event;
    low bigint;
    top bigint;
    more bigint;
    done bigint := 0;
BEGIN
    SELECT min(id), max(id) INTO low, top FROM @tables@.lifecycle_event AS event;
    CREATE TEMP TABLE lifecycle_settled ON COMMIT DROP AS
        SELECT one.id, event.id AS by FROM @tables@.lifecycle_event AS event, unnest(event.settled) AS one (id)
        WHERE event.settled IS NOT NULL;
    CREATE INDEX ON pg_temp.lifecycle_settled (id);
    ANALYZE pg_temp.lifecycle_settled;
    DELETE FROM @tables@.lifecycle_agenda WHERE event_id < low OR event_id > top OR low IS NULL;
    WHILE low <= top LOOP
        WITH counted AS (
            SELECT count(*) AS events FROM @tables@.lifecycle_event AS event
            WHERE event.id >= low AND event.id < low + part
        ), wanted AS MATERIALIZED (
            SELECT event.id AS event_id, event.policy, greatest(event.due_at, event.recorded_at) AS due_at,
                (event.detail ->> 'window')::timestamptz AS window_at,
                CASE WHEN event.detail ? 'window' THEN greatest(event.count, 1) ELSE event.count END AS count,
                coalesce((event.detail ->> 'attempts')::int, 0) AS attempts, given.tombstone,
                CASE WHEN given.tombstone = event.id THEN event.recorded_at
                     WHEN given.tombstone IS NOT NULL THEN (
                         SELECT dated.recorded_at FROM @tables@.lifecycle_event AS dated WHERE dated.id = given.tombstone)
                END AS tombstoned_at
            FROM @tables@.lifecycle_event AS event
            CROSS JOIN LATERAL (SELECT CASE event.kind WHEN 'tombstoned' THEN event.id
                                ELSE (event.detail ->> 'tombstone')::bigint END) AS given (tombstone)
            WHERE event.id >= low AND event.id < low + part AND event.due_at IS NOT NULL
            AND (event.policy <> '' OR event.detail ? 'names')
            AND NOT EXISTS (SELECT FROM pg_temp.lifecycle_settled AS gone WHERE gone.id = event.id AND gone.by >= event.id)
        ), gone AS (
            DELETE FROM @tables@.lifecycle_agenda AS entry WHERE entry.event_id >= low AND entry.event_id < low + part
            AND NOT EXISTS (SELECT FROM wanted WHERE wanted.event_id = entry.event_id AND wanted IS NOT DISTINCT FROM entry)
            RETURNING event_id
        ), put AS (
            INSERT INTO @tables@.lifecycle_agenda
                (event_id, policy, due_at, window_at, count, attempts, tombstone, tombstoned_at)
            SELECT wanted.* FROM wanted
            WHERE (SELECT count(*) FROM gone) >= 0  -- first they go
            AND NOT EXISTS (SELECT FROM @tables@.lifecycle_agenda AS there
                WHERE there.event_id = wanted.event_id AND there.event_id NOT IN (SELECT event_id FROM gone))
        )
        SELECT events INTO more FROM counted;
        done := done + more;
        low := low + part;
        RAISE INFO 'lifecycle: progress' USING DETAIL = least(low - 1, top) || ' ' || top;
    END LOOP;
    DROP TABLE pg_temp.lifecycle_settled;
    DELETE FROM @tables@.lifecycle_exception;
    FOR decision IN
        SELECT * FROM @tables@.lifecycle_event AS event
        WHERE lifecycle.decides_v1(event.kind, event.detail)
        ORDER BY event.id
    LOOP
        -- Later entries than the event have been listed already: it is about those before it.
        IF decision.kind = 'policy_changed' AND decision.detail ? 'formerly' AND NOT decision.detail ? 'anew' THEN
            UPDATE @tables@.lifecycle_agenda SET tombstone = NULL, tombstoned_at = NULL
                WHERE policy = decision.policy AND tombstone IS NOT NULL AND event_id < decision.id;
        END IF;
        IF decision.kind = 'policy_changed' AND decision.detail ? 'previously' THEN
            UPDATE @tables@.lifecycle_agenda SET policy = decision.policy
                WHERE policy = decision.detail ->> 'previously' AND event_id < decision.id;
        END IF;
        PERFORM lifecycle.decide_v1(decision);
    END LOOP;
    RETURN done;
END $$
