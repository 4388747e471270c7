-- Held rows that the host itself has deleted, while their hold is in force and they are not there again: a line for
-- each hold and row. Under a hold on a whole table `key` is empty, and `rows` is how many the event has taken; those
-- that are there again are left out where the event took at most 10,000 and names them. Whether a row is there is
-- asked of the tables that tell us of deletes, by the key of each; where they cannot be read, it is taken for gone.
CREATE FUNCTION lifecycle.held_deleted_v1() RETURNS TABLE (
    hold bigint, policy text, model text, key text, rows bigint, event bigint, at timestamptz, actor text
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 10 AS $$
#variable_conflict use_column
DECLARE
    about text;
    asked text;
    back bigint;
BEGIN
    FOR hold, policy, model, key, rows, event, at, actor IN
        SELECT held.event_id, held.policy, event.model, held.key,
            CASE WHEN held.policy <> '' THEN event.count ELSE 1 END, event.id, event.recorded_at, event.actor
        FROM @tables@.lifecycle_event AS event
        JOIN @tables@.lifecycle_exception AS held
            ON held.event_id = ANY (ARRAY(
                SELECT number::bigint FROM jsonb_array_elements_text(CASE jsonb_typeof(event.detail -> 'held')
                    WHEN 'array' THEN event.detail -> 'held' END) AS number
                WHERE number ~ '^[0-9]{1,18}$'))
            AND (held.key = '' AND held.policy <> '' OR held.key = ANY (ARRAY(SELECT lifecycle.keys_v1(event.id))))
        WHERE event.detail ? 'held' AND lifecycle.in_force_v1(held.until, lifecycle.now_v1())
        ORDER BY event.model
    LOOP
        IF about IS DISTINCT FROM model THEN
            about := model;
            asked := (SELECT string_agg(format('EXISTS (SELECT FROM %s WHERE %I = lifecycle_key::%s)', place::regclass, attname,
                    format_type(atttypid, -1)), ' AND ')
                FROM lifecycle.tables_of_v1(about) AS place
                JOIN pg_index ON indrelid = place AND indisprimary AND indnkeyatts = 1
                JOIN pg_attribute ON attrelid = place AND attnum = indkey[0]);
        END IF;
        IF asked IS NOT NULL AND rows <= 10000 THEN
            BEGIN
                EXECUTE 'SELECT count(*) FROM unnest($1) AS told (lifecycle_key) WHERE ' || asked INTO back
                    USING CASE WHEN policy = '' THEN ARRAY[key] ELSE ARRAY(SELECT lifecycle.keys_v1(event)) END;
                rows := rows - back;
            EXCEPTION WHEN insufficient_privilege OR data_exception OR undefined_function THEN
                NULL;
            END;
        END IF;
        IF rows > 0 THEN
            RETURN NEXT;
        END IF;
    END LOOP;
END $$
