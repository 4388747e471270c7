-- Record rows that a DELETE has taken: `deleted`, or what the engine announced just before: an end, and
-- nothing else; it cannot silence. What says so without proof counts as not said, and is noted. With
-- `basis` and a matching count the set is that event's and is not written again.
-- `p_parts` is what identities are made of, in the order of the keys; `p_identity` names the fields.
CREATE FUNCTION lifecycle.ended_v1(
    p_model text, p_subjects lifecycle.subjects, p_count bigint,
    p_parts bytea[] DEFAULT NULL, p_identity text DEFAULT NULL
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
SET enable_seqscan = off SET jit = off AS $$
DECLARE
    announced jsonb := coalesce(lifecycle.announced_v1(), '{}');
    mine boolean := announced ->> 'model' = p_model AND pg_trigger_depth() = 1;  -- a deeper one goes along
    announced_detail jsonb := coalesce((SELECT jsonb_object_agg(key, value) FROM jsonb_each(announced -> 'detail')
        WHERE key IN ('reference', 'erasure') OR mine AND key IN
            ('cause', 'grace_skipped', 'override', 'plan', 'cascade', 'media', 'unlinked', 'windows', 'archive')), '{}');
    detail jsonb := CASE WHEN announced = '{}' AND lifecycle.setting_v1('ending') IS NOT NULL
                         THEN '{"unproven": true}' WHEN announced = '{}' THEN '{}' WHEN mine THEN announced_detail
                    ELSE announced_detail || '{"cause": "cascade"}' END;
    shared bigint := CASE WHEN mine AND p_subjects IS NULL THEN (announced ->> 'basis')::bigint END;
    identities bytea := CASE WHEN cardinality(p_parts) = p_count
                             THEN lifecycle.identities_v1(p_parts) END;
    held record;
    chunk CONSTANT bigint := 10000;
BEGIN
    IF to_regclass('@tables@.lifecycle_event') IS NULL OR pg_sequence_last_value('lifecycle.in_use') IS NULL THEN
        RETURN;  -- the package was removed, or a dump is being restored, with its ledger
    END IF;
    -- The engine has looked at what Django knows of; a cascade of the database's own comes here. The
    -- host's own DELETE is refused where a policy of the table says so, and else its event names the
    -- holds that it has passed. Few tables have any hold.
    IF lifecycle.excepted_of_v1(p_model, '{hold}') THEN
        -- Probed by key: read in full, ten thousand holds would cost each DELETE a millisecond.
        SELECT jsonb_agg(DISTINCT one.event_id) AS holds, min(one.event_id) AS event_id,
            (array_agg(CASE WHEN one.policy = '' THEN one.key ELSE '*' END ORDER BY one.event_id))[1] AS key
        INTO held FROM @tables@.lifecycle_exception AS one
        WHERE one.model = p_model AND one.kind = 'hold'
        AND (one.key = ANY (lifecycle.texts_v1(p_subjects)) OR one.key = '' AND one.policy <> '')
        AND lifecycle.in_force_v1(one.until, lifecycle.now_v1());
        IF held.holds IS NOT NULL AND (announced <> '{}' OR EXISTS (SELECT FROM @tables@.lifecycle_policy
                WHERE model = p_model AND enforced AND state <> 'removed')) THEN
            RAISE EXCEPTION 'lifecycle: %:% is held by hold %: it cannot be deleted', p_model,
                held.key, held.event_id
                USING ERRCODE = 'restrict_violation',
                HINT = format('`manage.py lifecycle release --number %s`', held.event_id);
        END IF;
        IF held.holds IS NOT NULL THEN
            detail := detail || jsonb_build_object('held', held.holds);
        END IF;
    END IF;
    IF lifecycle.excepted_of_v1(p_model, '{restored,expired_by_hand,noticed}') THEN
        detail := detail || '{"ended_exceptions": true}';
    END IF;
    IF announced <> '{}' AND pg_current_xact_id()::text::bigint >= 2147483648 THEN
        -- Of a number beyond, the event's own column says too little, once they begin anew.
        detail := detail || jsonb_build_object('transaction', pg_current_xact_id()::text::bigint);
    END IF;
    IF identities IS NOT NULL THEN
        detail := detail || jsonb_build_object('identity', p_identity);
    END IF;
    IF mine AND announced -> 'detail' ?| ARRAY['cascade', 'media', 'unlinked'] THEN
        -- What went along with a batch is told once, also where Django deletes it in parts.
        PERFORM lifecycle.announce_v1(announced || jsonb_build_object('detail',
            (announced -> 'detail') - ARRAY['cascade', 'media', 'unlinked']));
    END IF;
    FOR i IN 1..p_count BY chunk LOOP
        PERFORM lifecycle.write_v1(
            CASE WHEN announced ->> 'kind' IN ('purged', 'archived') THEN announced ->> 'kind' ELSE 'deleted' END,
            coalesce(announced ->> 'policy', ''), p_model,
            CASE WHEN shared IS NULL
                 THEN lifecycle.slice_v1(p_subjects, i, least(i + chunk - 1, p_count)) END,
            CASE WHEN shared IS NULL THEN least(chunk, p_count - i + 1) ELSE p_count END,
            shared, NULL, (announced ->> 'run')::bigint, detail, NULL,
            CASE WHEN shared IS NULL THEN substr(identities, (8 * i - 7)::int, (8 * chunk)::int)
                 ELSE identities END);
        EXIT WHEN shared IS NOT NULL;
        detail := detail - ARRAY['cascade', 'media', 'unlinked'];
    END LOOP;
END $$
