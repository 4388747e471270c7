-- Record rows that a DELETE has taken: `deleted`, or what the runner said just before. The
-- setting names what happens: an end, nothing else; it cannot silence. With `basis` and a matching
-- count the set is that event's and is not written again.
-- `p_told` is what identities are made of, in the order of the keys; `p_identity` names the fields.
CREATE FUNCTION lifecycle.ended_v1(
    p_model text, p_subjects lifecycle.subjects, p_count bigint,
    p_told bytea[] DEFAULT NULL, p_identity text DEFAULT NULL
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    said jsonb := coalesce(lifecycle.setting_v1('ending')::jsonb, '{}');
    mine boolean := said ->> 'model' = p_model;
    said_detail jsonb := coalesce((SELECT jsonb_object_agg(key, value) FROM jsonb_each(said -> 'detail')
        WHERE key IN ('cause', 'grace_skipped')), '{}');
    detail jsonb := CASE WHEN said = '{}' THEN '{}' WHEN mine THEN said_detail
                    ELSE '{"cause": "cascade"}' END;
    shared bigint := CASE WHEN p_subjects IS NULL THEN (said ->> 'basis')::bigint END;
    identities bytea := CASE WHEN cardinality(p_told) = p_count
                             THEN lifecycle.identities_v1(p_told) END;
    chunk CONSTANT bigint := 10000;
BEGIN
    IF to_regclass('@tables@.lifecycle_event') IS NULL THEN
        RETURN;  -- the package was removed
    END IF;
    -- The runner has looked at what Django knows of; a cascade of the database's own comes here.
    IF said <> '{}' AND EXISTS (SELECT FROM @tables@.lifecycle_exception
            WHERE model = p_model AND kind = 'hold'
            AND (until IS NULL OR until > lifecycle.now_v1())
            AND CASE WHEN p_subjects.bigints IS NOT NULL THEN key::bigint = ANY (p_subjects.bigints)
                     WHEN p_subjects.uuids IS NOT NULL THEN key::uuid = ANY (p_subjects.uuids)
                     ELSE key = ANY (p_subjects.texts) END) THEN
        RAISE EXCEPTION 'a row of % is held', p_model USING ERRCODE = 'restrict_violation';
    END IF;
    IF EXISTS (SELECT FROM @tables@.lifecycle_exception
               WHERE model = p_model AND kind IN ('restored', 'expired_by_hand')) THEN
        detail := detail || '{"ended_exceptions": true}';
    END IF;
    IF identities IS NOT NULL THEN
        detail := detail || jsonb_build_object('identity', p_identity);
    END IF;
    FOR i IN 1..p_count BY chunk LOOP
        PERFORM lifecycle.write_v1(
            CASE WHEN said ->> 'kind' IN ('purged', 'archived') THEN said ->> 'kind' ELSE 'deleted' END,
            coalesce(said ->> 'policy', ''), p_model,
            CASE WHEN shared IS NULL
                 THEN lifecycle.slice_v1(p_subjects, i, least(i + chunk - 1, p_count)) END,
            CASE WHEN shared IS NULL THEN least(chunk, p_count - i + 1) ELSE p_count END,
            shared, NULL, (said ->> 'run')::bigint, detail, NULL,
            CASE WHEN shared IS NULL THEN substr(identities, (8 * i - 7)::int, (8 * chunk)::int)
                 ELSE identities END);
        EXIT WHEN shared IS NOT NULL;
    END LOOP;
END $$
