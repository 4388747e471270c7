-- name: body_delete
-- Trigger body: rows that one DELETE statement has taken, whoever ran it.
#variable_conflict use_column
DECLARE
    lc_keys @kind@[];
    lc_key @kind@;
    lc_identity_parts bytea[];
    lc_identity_part bytea;
    lc_count bigint := 0;
    lc_failure text;
BEGIN
    IF pg_catalog.to_regnamespace('lifecycle') IS NULL THEN
        RETURN NULL;  -- the package was removed; the host's writes go on
    END IF;
    IF NOT lifecycle.placed_v1(TG_RELID, TG_TABLE_SCHEMA) THEN
        RETURN NULL;  -- no policy stands on this table: `status` and checks name it
    END IF;
    BEGIN
        FOR lc_key, lc_identity_part IN SELECT @own_key@, @part@ FROM old_rows LOOP
            lc_count := lc_count + 1;
            EXIT WHEN lc_count = 2;
        END LOOP;
    EXCEPTION WHEN OTHERS THEN
        lc_count := 2;  -- the key or what is hashed has another column or type now: see below
    END;
    IF lc_count = 0 THEN
        RETURN NULL;
    ELSIF lc_count = 1 THEN
        lc_keys := ARRAY[lc_key];
        IF lifecycle.ended_one_v1(@model@, @arrays@, lc_identity_part, @identity@) THEN
            RETURN NULL;
        END IF;
    END IF;
    lc_count := (SELECT pg_catalog.count(*) FROM old_rows);
@identify@    IF coalesce((lifecycle.ending_v1(@model@) ->> 'count')::bigint = lc_count, false) THEN
        PERFORM lifecycle.ended_v1(@model@, NULL, lc_count@identified_by@);
        RETURN NULL;
    END IF;
    BEGIN
        SELECT pg_catalog.array_agg(key ORDER BY @order@) INTO lc_keys
        FROM (SELECT @own_key@ AS key FROM old_rows) AS taken;
    EXCEPTION WHEN OTHERS THEN
        lc_failure := SQLSTATE;  -- the key has another column or type now
    END;
    IF lc_failure IS NULL THEN
        PERFORM lifecycle.ended_v1(@model@, @subjects@, lc_count@identified_by@);
    ELSE
        PERFORM lifecycle.capture_failed_v1('', @model@, @subjects@, lc_failure);
    END IF;
    RETURN NULL;
END

-- name: body_delete_counts
-- Trigger body: how many rows one DELETE statement has taken, whoever ran it. Their keys are secrets.
DECLARE
    lc_count bigint := (SELECT pg_catalog.count(*) FROM old_rows);
BEGIN
    IF pg_catalog.to_regnamespace('lifecycle') IS NULL OR lc_count = 0 THEN
        RETURN NULL;
    END IF;
    IF lifecycle.placed_v1(TG_RELID, TG_TABLE_SCHEMA) THEN
        PERFORM lifecycle.ended_v1(@model@, NULL, lc_count);
    END IF;
    RETURN NULL;
END

-- name: body_group
-- Trigger body: rows that have come into a group, or to another place in it. They are looked at when they are
-- committed: what they displace is listed then, by what is there then. Whatever fails here, the policy's other
-- trigger records.
#variable_conflict use_column
DECLARE
    lc_keys @kind@[];
BEGIN
    IF pg_catalog.to_regnamespace('lifecycle') IS NULL THEN
        RETURN NULL;  -- the package was removed; the host's writes go on
    END IF;
    IF NOT lifecycle.placed_v1(TG_RELID, TG_TABLE_SCHEMA) THEN
        RETURN NULL;  -- no policy stands on this table: `status` and checks name it
    END IF;
    BEGIN
@look@    EXCEPTION WHEN OTHERS THEN
        RETURN NULL;
    END;
    IF lc_keys IS NOT NULL THEN
        PERFORM lifecycle.scheduled_v1(@policy@, @model@, @subjects@,
            pg_catalog.array_fill(lifecycle.now_v1(), ARRAY[pg_catalog.cardinality(lc_keys)]), '{"relisted": "group"}');
    END IF;
    RETURN NULL;
END

-- name: body_group_insert
-- Part of it, for an INSERT. A row that is past its end now is listed for now already.
        WITH @table@ AS (SELECT * FROM new_rows)
        SELECT pg_catalog.array_agg(@stored_key@ ORDER BY @stored_key@) INTO lc_keys
        FROM (@due_sql@) AS compiled
        WHERE matches AND coalesce(lifecycle.finite_v1(due::timestamptz) > lifecycle.now_v1(), true);

-- name: body_group_update
-- Part of it, for an UPDATE. Bytes are compared: values that are equal may have other texts.
        WITH was AS (
            SELECT @own_key@ AS key, ROW(@read@) AS image FROM old_rows AS one
        ), became AS (
            SELECT @own_key@ AS key, ROW(@read@) AS image FROM new_rows AS one
        )
        SELECT pg_catalog.array_agg(key ORDER BY key) INTO lc_keys
        FROM became LEFT JOIN was USING (key) WHERE coalesce(became.image *<> was.image, true);

-- name: body_identify
-- Part of the DELETE trigger's body, for tables with an identity: what it is made of, in key order.
-- A host's DELETE must not fail because of it.
    BEGIN
        SELECT pg_catalog.array_agg(part ORDER BY @order@) INTO lc_identity_parts
        FROM (SELECT @own_key@ AS key, @bytes@ AS part FROM old_rows) AS taken;
    EXCEPTION WHEN OTHERS THEN
        lc_identity_parts := NULL;
    END;

-- name: body_insert
-- Trigger body: rows of one INSERT statement, or of the new parents of a COPY or MERGE.
#variable_conflict use_column
DECLARE
    lc_keys @kind@[];
    lc_key @kind@;
    lc_dues timestamptz[];
    lc_due timestamptz;
    lc_count integer := 0;
    lc_detail jsonb;
    lc_failure text;
BEGIN
    IF pg_catalog.to_regnamespace('lifecycle') IS NULL THEN
        RETURN NULL;  -- the package was removed; the host's writes go on
    END IF;
    IF NOT lifecycle.placed_v1(TG_RELID, TG_TABLE_SCHEMA) THEN
        RETURN NULL;  -- no policy stands on this table: `status` and checks name it
    END IF;
    -- Nothing is written inside this block, so the host's transaction gets no subtransaction id.
    BEGIN
@insert_one@        IF lc_count = 1 THEN
            lc_keys := ARRAY[lc_key];
            lc_dues := ARRAY[lc_due];
        ELSE
            WITH @table@ AS (SELECT * FROM new_rows), listed AS (
                SELECT @stored_key@ AS key,
                    lifecycle.tick_v1(lifecycle.finite_v1(due::timestamptz), @resolution@) AS due
                FROM (@due_sql@) AS compiled
            )
            SELECT pg_catalog.array_agg(key ORDER BY due, key), pg_catalog.array_agg(due ORDER BY due, key)
            INTO lc_keys, lc_dues FROM listed
            WHERE due IS NOT NULL OR (SELECT lifecycle.excepted_v1(@policy@));
        END IF;
    EXCEPTION WHEN OTHERS THEN
        lc_failure := SQLSTATE;
    END;
    IF lc_failure IS NOT NULL THEN
        BEGIN
            SELECT pg_catalog.array_agg(key ORDER BY key) INTO lc_keys
            FROM (SELECT @own_key@ AS key FROM new_rows) AS written;
        EXCEPTION WHEN OTHERS THEN
            lc_keys := NULL;  -- the key has another column or type now: backfill finds the rows
        END;
        PERFORM lifecycle.capture_failed_v1(@policy@, @model@, @subjects@, lc_failure)
        FROM (SELECT FROM new_rows LIMIT 1) AS any_row;
        RETURN NULL;
    END IF;
@schedule@    RETURN NULL;
END

-- name: body_insert_one
-- Part of the INSERT trigger's body, where the policy reads one table: the row of a statement that has
-- written one. Of one that has written more, two are evaluated twice.
        FOR lc_key, lc_due IN
            WITH @table@ AS (SELECT * FROM new_rows)
            SELECT @stored_key@, lifecycle.tick_v1(lifecycle.finite_v1(due::timestamptz), @resolution@)
            FROM (@due_sql@) AS compiled
        LOOP
            lc_count := lc_count + 1;
            EXIT WHEN lc_count = 2;
        END LOOP;

-- name: body_schedule
-- Part of the bodies of INSERT and UPDATE: keys and their dues go to the ledger.
    IF lc_keys IS NOT NULL THEN
        lc_detail := CASE WHEN lc_dues[1] - @resolution@ < lifecycle.now_v1() THEN '{"late": true}'::jsonb ELSE '{}' END;
        IF pg_catalog.cardinality(lc_keys) > 1
           OR NOT lifecycle.scheduled_one_v1(@policy@, @model@, @arrays@, lc_dues[1], lc_detail) THEN
            PERFORM lifecycle.scheduled_v1(@policy@, @model@, @subjects@, lc_dues, lc_detail);
        END IF;
    END IF;

-- name: body_truncate
-- Trigger body: a TRUNCATE is recorded, and refused while rows are held.
BEGIN
    IF pg_catalog.to_regnamespace('lifecycle') IS NULL THEN
        RETURN NULL;  -- the package was removed; the host's writes go on
    END IF;
    IF NOT lifecycle.placed_v1(TG_RELID, TG_TABLE_SCHEMA) THEN
        RETURN NULL;  -- no policy stands on this table: `status` and checks name it
    END IF;
    PERFORM lifecycle.truncated_v1(@model@);
    RETURN NULL;
END

-- name: body_update
-- Trigger body: rows of one UPDATE statement whose due time or `when` is another one now.
#variable_conflict use_column
DECLARE
    lc_keys @kind@[];
    lc_key @kind@;
    lc_dues timestamptz[];
    lc_due timestamptz;
    lc_past_keys @kind@[];
    lc_past_dues timestamptz[];
    lc_was_key @kind@;
    lc_was_due timestamptz;
    lc_was_matches boolean;
    lc_matches boolean;
    lc_count integer := 0;
    lc_same boolean;
    lc_detail jsonb;
    lc_failure text;
BEGIN
    IF pg_catalog.to_regnamespace('lifecycle') IS NULL THEN
        RETURN NULL;  -- the package was removed; the host's writes go on
    END IF;
    IF NOT lifecycle.placed_v1(TG_RELID, TG_TABLE_SCHEMA) THEN
        RETURN NULL;  -- no policy stands on this table: `status` and checks name it
    END IF;
    BEGIN
        -- Most of what a site saves is one row of which nothing has changed that the policy reads. Bytes
        -- are compared: values that are equal may have other texts.
        FOR lc_same IN
            SELECT image *= (SELECT ROW(@read@) FROM old_rows AS one LIMIT 1)
            FROM (SELECT ROW(@read@) AS image FROM new_rows AS one) AS became
        LOOP
            lc_count := lc_count + 1;
            EXIT WHEN lc_count = 2;
        END LOOP;
        IF lc_count = 0 OR lc_count = 1 AND lc_same THEN
            RETURN NULL;
        END IF;
        IF lc_count = 1 THEN
            WITH @table@ AS (SELECT * FROM old_rows)
            SELECT @stored_key@, matches, lifecycle.finite_v1(due::timestamptz)
            INTO lc_was_key, lc_was_matches, lc_was_due FROM (@due_sql@) AS compiled;
            WITH @table@ AS (SELECT * FROM new_rows)
            SELECT @stored_key@, matches, lifecycle.finite_v1(due::timestamptz)
            INTO lc_key, lc_matches, lc_due FROM (@due_sql@) AS compiled;
            IF NOT FOUND OR lc_key = lc_was_key AND lc_matches = lc_was_matches
               AND lc_due IS NOT DISTINCT FROM lc_was_due THEN
                RETURN NULL;
            END IF;
            lc_dues := ARRAY[lifecycle.tick_v1(lc_due, @resolution@)];
            IF lc_key = lc_was_key AND lc_was_due <= lifecycle.now_v1() THEN
                lc_past_keys := ARRAY[lc_key];
                lc_past_dues := lc_dues;
            ELSE
                lc_keys := ARRAY[lc_key];
            END IF;
        ELSE
            WITH was AS (
                WITH @table@ AS (SELECT * FROM old_rows)
                SELECT @stored_key@ AS key, matches, lifecycle.finite_v1(due::timestamptz) AS due
                FROM (@due_sql@) AS compiled
            ), became AS (
                WITH @table@ AS (SELECT * FROM new_rows)
                SELECT @stored_key@ AS key, matches, lifecycle.finite_v1(due::timestamptz) AS due
                FROM (@due_sql@) AS compiled
            ), changed AS (
                SELECT key, lifecycle.tick_v1(became.due, @resolution@) AS due,
                    coalesce(was.due <= (SELECT lifecycle.now_v1()), false) AS past
                FROM became LEFT JOIN was USING (key)
                WHERE became.due IS DISTINCT FROM was.due OR became.matches IS DISTINCT FROM was.matches
            )
            SELECT pg_catalog.array_agg(key ORDER BY due, key) FILTER (WHERE NOT past),
                pg_catalog.array_agg(due ORDER BY due, key) FILTER (WHERE NOT past),
                pg_catalog.array_agg(key ORDER BY due, key) FILTER (WHERE past),
                pg_catalog.array_agg(due ORDER BY due, key) FILTER (WHERE past)
            INTO lc_keys, lc_dues, lc_past_keys, lc_past_dues FROM changed
            WHERE past OR due IS NOT NULL OR (SELECT lifecycle.excepted_v1(@policy@));
        END IF;
    EXCEPTION WHEN OTHERS THEN
        lc_failure := SQLSTATE;
    END;
    IF lc_failure IS NOT NULL THEN
        BEGIN
            SELECT pg_catalog.array_agg(key ORDER BY key) INTO lc_keys
            FROM (SELECT @own_key@ AS key FROM new_rows) AS written;
        EXCEPTION WHEN OTHERS THEN
            lc_keys := NULL;  -- the key has another column or type now: backfill finds the rows
        END;
        PERFORM lifecycle.capture_failed_v1(@policy@, @model@, @subjects@, lc_failure)
        FROM (SELECT FROM new_rows LIMIT 1) AS any_row;
        RETURN NULL;
    END IF;
@schedule@    IF lc_past_keys IS NOT NULL THEN
        lc_keys := lc_past_keys;
        PERFORM lifecycle.scheduled_v1(@policy@, @model@, @subjects@, lc_past_dues, '{"again": true}');
    END IF;
    RETURN NULL;
END

-- name: body_window_insert
-- Trigger body: the windows in which rows of one INSERT statement end. A key that was restored or
-- expired by hand before is another row's now.
#variable_conflict use_column
DECLARE
    lc_starts timestamptz[];
    lc_keys @kind@[];
    lc_dues timestamptz[];
    lc_failure text;
BEGIN
    IF pg_catalog.to_regnamespace('lifecycle') IS NULL THEN
        RETURN NULL;  -- the package was removed; the host's writes go on
    END IF;
    IF NOT lifecycle.placed_v1(TG_RELID, TG_TABLE_SCHEMA) THEN
        RETURN NULL;  -- no policy stands on this table: `status` and checks name it
    END IF;
    -- Nothing is written inside this block, so the host's transaction gets no subtransaction id.
    BEGIN
        WITH @table@ AS (SELECT * FROM new_rows), ends AS (
            SELECT DISTINCT @start@ AS start
            FROM (@due_sql@) AS compiled
        )
        SELECT pg_catalog.array_agg(start ORDER BY start) INTO lc_starts FROM ends WHERE start IS NOT NULL;
        IF lifecycle.excepted_v1(@policy@) THEN
            WITH @table@ AS (SELECT * FROM new_rows), listed AS (
                SELECT @stored_key@ AS key,
                    lifecycle.tick_v1(lifecycle.finite_v1(due::timestamptz), @resolution@) AS due
                FROM (@due_sql@) AS compiled
            )
            SELECT pg_catalog.array_agg(key ORDER BY due, key), pg_catalog.array_agg(due ORDER BY due, key)
            INTO lc_keys, lc_dues FROM listed
            WHERE key::text IN (SELECT lifecycle.excepted_keys_v1(@policy@, ARRAY(SELECT key::text FROM listed)));
        END IF;
    EXCEPTION WHEN OTHERS THEN
        lc_failure := SQLSTATE;
    END;
    IF lc_failure IS NOT NULL THEN
        PERFORM lifecycle.capture_failed_v1(@policy@, @model@, NULL, lc_failure)
        FROM (SELECT FROM new_rows LIMIT 1) AS any_row;
        RETURN NULL;
    END IF;
    IF lc_starts IS NOT NULL THEN
        PERFORM lifecycle.windowed_v1(@policy@, @model@, lc_starts, @unit@, @every@, '{}');
    END IF;
    IF lc_keys IS NOT NULL THEN
        PERFORM lifecycle.scheduled_v1(@policy@, @model@, @subjects@, lc_dues, '{}');
    END IF;
    RETURN NULL;
END

-- name: body_window_update
-- Trigger body: the windows into which one UPDATE statement has moved rows. Old and new are compared
-- only where some window of theirs is not on the agenda, or a row is restored or expired by hand.
#variable_conflict use_column
DECLARE
    lc_starts timestamptz[];
    lc_keys @kind@[];
    lc_dues timestamptz[];
    lc_failure text;
BEGIN
    IF pg_catalog.to_regnamespace('lifecycle') IS NULL THEN
        RETURN NULL;  -- the package was removed; the host's writes go on
    END IF;
    IF NOT lifecycle.placed_v1(TG_RELID, TG_TABLE_SCHEMA) THEN
        RETURN NULL;  -- no policy stands on this table: `status` and checks name it
    END IF;
    -- Nothing is written inside this block, so the host's transaction gets no subtransaction id.
    BEGIN
        WITH @table@ AS (SELECT * FROM new_rows), ends AS (
            SELECT DISTINCT @start@ AS start
            FROM (@due_sql@) AS compiled
        )
        SELECT pg_catalog.array_agg(start ORDER BY start) INTO lc_starts FROM ends WHERE start IS NOT NULL;
        lc_starts := lifecycle.unlisted_v1(@policy@, lc_starts);
        IF lc_starts IS NOT NULL OR lifecycle.excepted_v1(@policy@) THEN
            WITH was AS (
                WITH @table@ AS (SELECT * FROM old_rows)
                SELECT @stored_key@ AS key, lifecycle.finite_v1(due::timestamptz) AS due
                FROM (@due_sql@) AS compiled
            ), became AS (
                WITH @table@ AS (SELECT * FROM new_rows)
                SELECT @stored_key@ AS key, lifecycle.finite_v1(due::timestamptz) AS due
                FROM (@due_sql@) AS compiled
            ), moved AS (
                SELECT key, lifecycle.window_v1(became.due, @unit@) AS start,
                    lifecycle.tick_v1(became.due, @resolution@) AS due,
                    key::text IN (SELECT lifecycle.excepted_keys_v1(@policy@, ARRAY(SELECT key::text FROM became))) AS excepted
                FROM became LEFT JOIN was USING (key) WHERE became.due IS DISTINCT FROM was.due
            )
            SELECT pg_catalog.array_agg(DISTINCT start) FILTER (WHERE start IS NOT NULL),
                pg_catalog.array_agg(key ORDER BY due, key) FILTER (WHERE excepted),
                pg_catalog.array_agg(due ORDER BY due, key) FILTER (WHERE excepted)
            INTO lc_starts, lc_keys, lc_dues FROM moved;
        END IF;
    EXCEPTION WHEN OTHERS THEN
        lc_failure := SQLSTATE;
    END;
    IF lc_failure IS NOT NULL THEN
        PERFORM lifecycle.capture_failed_v1(@policy@, @model@, NULL, lc_failure)
        FROM (SELECT FROM new_rows LIMIT 1) AS any_row;
        RETURN NULL;
    END IF;
    IF lc_starts IS NOT NULL THEN
        PERFORM lifecycle.windowed_v1(@policy@, @model@, lc_starts, @unit@, @every@, '{}');
    END IF;
    IF lc_keys IS NOT NULL THEN
        PERFORM lifecycle.scheduled_v1(@policy@, @model@, @subjects@, lc_dues, '{}');
    END IF;
    RETURN NULL;
END
