-- Held rows that the host itself has deleted, while their hold is in force and they are not there again: a line for
-- each hold and row. Under a hold on a whole table `key` is empty, and `rows` is how many the event has taken; those
-- that are there again are left out where the event took at most 10,000 and names them. Whether a row is there is
-- asked of the tables that tell us of deletes, by the key of each; where they cannot be read, it is taken for gone.
CREATE FUNCTION lifecycle.held_deleted_v1() RETURNS TABLE (
    hold bigint, policy text, model text, key text, rows bigint, event bigint, at timestamptz, actor text
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off
SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off ROWS 10 AS $$
#variable_conflict use_column
DECLARE
    each record;
    about text;
    asked text;
    gone text[];
BEGIN
    FOR each IN
        SELECT held.event_id AS hold, held.policy, event.model, event.count, event.id AS number, event.recorded_at, event.actor,
            array_agg(held.key) AS keys
        FROM @tables@.lifecycle_event AS event CROSS JOIN LATERAL (
            SELECT ARRAY(
                SELECT number::bigint FROM jsonb_array_elements_text(CASE jsonb_typeof(event.detail -> 'held')
                    WHEN 'array' THEN event.detail -> 'held' END) AS number
                WHERE number ~ '^[0-9]{1,18}$') AS holds OFFSET 0
        ) AS passed CROSS JOIN LATERAL (  -- each key is probed: a hold has ten thousand, and so has an event
            SELECT one.event_id, one.policy, one.key, one.until FROM @tables@.lifecycle_exception AS one
            WHERE one.event_id = ANY (passed.holds) AND one.key = '' AND one.policy <> ''
            UNION ALL
            SELECT one.event_id, one.policy, one.key, one.until FROM lifecycle.keys_v1(event.id) AS told (key)
            JOIN @tables@.lifecycle_exception AS one
                ON one.event_id = ANY (passed.holds) AND one.key = told.key AND one.policy = ''
        ) AS held
        WHERE event.detail ? 'held' AND lifecycle.in_force_v1(held.until, lifecycle.now_v1())
        GROUP BY event.id, event.model, event.count, event.recorded_at, event.actor, held.event_id, held.policy
        ORDER BY event.model
    LOOP
        IF about IS DISTINCT FROM each.model THEN
            about := each.model;
            asked := (SELECT string_agg(format('EXISTS (SELECT FROM %s WHERE %I = lifecycle_key::%s)', place::regclass, attname,
                    format_type(atttypid, -1)), ' AND ')
                FROM lifecycle.tables_of_v1(about) AS place
                JOIN pg_index ON indrelid = place AND indisprimary AND indnkeyatts = 1
                JOIN pg_attribute ON attrelid = place AND attnum = indkey[0]);
        END IF;
        gone := CASE WHEN each.policy = '' THEN each.keys
            WHEN each.count <= 10000 THEN ARRAY(SELECT lifecycle.keys_v1(each.number)) END;
        rows := CASE WHEN each.policy <> '' THEN each.count - coalesce(cardinality(gone), 0) END;
        IF asked IS NOT NULL AND gone IS NOT NULL THEN
            BEGIN
                EXECUTE 'SELECT coalesce(array_agg(lifecycle_key), ''{}'') FROM unnest($1) AS told (lifecycle_key)'
                    ' WHERE NOT (' || asked || ')' INTO gone USING gone;
            EXCEPTION WHEN insufficient_privilege OR data_exception OR undefined_function THEN
                NULL;
            END;
        END IF;
        IF each.policy = '' THEN
            RETURN QUERY SELECT each.hold, each.policy::text, each.model::text, one.key, 1::bigint, each.number,
                each.recorded_at, each.actor::text FROM unnest(gone) AS one (key);
        ELSIF rows + coalesce(cardinality(gone), 0) > 0 THEN
            RETURN QUERY SELECT each.hold, each.policy::text, each.model::text, '', rows + coalesce(cardinality(gone), 0),
                each.number, each.recorded_at, each.actor::text;
        END IF;
    END LOOP;
END $$
