-- Record one row that a DELETE of the site has taken, as `ended_v1` does, in as few statements as can be. False, and
-- nothing is done, where there is more to say: the engine has announced an ending, the row or its table has an
-- exception, or the ledger is being restored, is not there, or has the number already. The key is the one of three
-- arrays that is not NULL.
CREATE FUNCTION lifecycle.ended_one_v1(
    p_model text, p_bigints bigint[], p_uuids uuid[], p_texts text[], p_part bytea, p_identity text
) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
DECLARE
    actor CONSTANT text := lifecycle.setting_v1('actor');
    cause CONSTANT text := lifecycle.setting_v1('cause');
    identity bytea;
    detail jsonb := '{}';
    number bigint;
BEGIN
    IF lifecycle.setting_v1('ending') IS NOT NULL
       OR to_regclass('@tables@.lifecycle_event') IS NULL OR pg_sequence_last_value('lifecycle.in_use') IS NULL THEN
        RETURN false;
    ELSIF actor IS NOT NULL OR cause IS NOT NULL THEN
        detail := lifecycle.claimed_v1();
    END IF;
    IF p_part IS NOT NULL THEN
        SELECT substr(sha256(salt.salt || p_part), 1, 8) INTO identity FROM lifecycle.salt;
    END IF;
    IF identity IS NOT NULL THEN
        detail := detail || jsonb_build_object('identity', p_identity);
    END IF;
    number := nextval('@tables@.lifecycle_event_id_seq');
    INSERT INTO @tables@.lifecycle_event (id, kind, policy, model, subjects_bigint, subjects_uuid, subjects_text,
        count, recorded_at, cause, actor, detail, identities)
    SELECT number, 'deleted', '', p_model, p_bigints, p_uuids, p_texts,
        1, lifecycle.now_v1(), left(coalesce(cause, ''), 100), left(coalesce(actor, ''), 200), detail, identity
    WHERE NOT EXISTS (
        SELECT FROM @tables@.lifecycle_exception WHERE model = p_model AND kind IN ('hold', 'restored', 'expired_by_hand', 'noticed')
        AND key IN ('', coalesce(p_bigints[1]::text, p_uuids[1]::text, p_texts[1])))
    AND (current_setting('transaction_isolation') = 'serializable'  -- see `scheduled_one_v1`
         OR NOT EXISTS (SELECT FROM @tables@.lifecycle_pending WHERE id = number))
    ON CONFLICT (id) DO NOTHING;
    RETURN FOUND;
END $$
