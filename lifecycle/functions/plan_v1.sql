-- Append a step of a plan, an act on many rows. What a worker does by a plan it takes from these events and from no
-- table, so they are no site's to write, but an officer's: who calls must be able to do the like to the table by itself, a
-- plan is approved and applied as it was made, and before it is over; that it is done, the engine alone says.
CREATE FUNCTION lifecycle.plan_v1(p_policy text, p_model text, p_detail jsonb) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
SET standard_conforming_strings = on AS $$
DECLARE
    fields CONSTANT jsonb := jsonb '{"step": "^\"(made|approved|applied|done|withdrawn)\"$",
        "act": "^\"(hold|release|restore|extend|purge)\"$", "number": "^\\d{1,18}$", "rows": "^\\d{1,18}$",
        "hash": "^\"[0-9a-f]{64}\"$", "asked": "^\\[(\"\\w{1,100}\"(, )?)*\\]$"}';
    step CONSTANT text := p_detail ->> 'step';
    made @tables@.lifecycle_event;
BEGIN
    IF p_model !~ '^\w+\.\w+$' OR NOT p_detail ?& ARRAY(SELECT jsonb_object_keys(fields)) OR EXISTS (
        SELECT FROM jsonb_each(p_detail) WHERE NOT fields ? key OR value::text !~ (fields ->> key)
    ) OR p_policy <> '' AND NOT EXISTS (
        SELECT FROM @tables@.lifecycle_policy WHERE name = p_policy AND model = p_model
    ) OR p_policy = '' AND p_detail ->> 'act' = 'purge' OR p_policy IS NULL OR p_model IS NULL OR p_detail IS NULL THEN
        RAISE EXCEPTION 'this is not what may be recorded of a plan' USING ERRCODE = 'insufficient_privilege';
    END IF;
    -- Of an event that names nobody it is not said which role has made it.
    IF step IN ('made', 'approved', 'applied') AND lifecycle.setting_v1('actor') IS NULL THEN
        RAISE EXCEPTION 'a plan wants to be told who says so' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF NOT lifecycle.may_say_v1(
        p_model, CASE WHEN p_detail ->> 'act' IN ('hold', 'restore', 'extend') THEN 'UPDATE' END) THEN
        RAISE EXCEPTION 'only who may write the rows of % may plan what becomes of them', p_model
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF step <> 'made' THEN
        SELECT * INTO made FROM @tables@.lifecycle_event AS event
        WHERE event.kind = 'planned' AND event.detail -> 'number' = p_detail -> 'number'
        AND event.detail ->> 'step' = 'made' AND (step IN ('done', 'withdrawn') OR event.policy = p_policy
            AND event.model = p_model AND event.detail @> (p_detail - 'step' - 'asked'))
        ORDER BY event.id DESC LIMIT 1;
        IF NOT FOUND OR EXISTS (
            SELECT FROM @tables@.lifecycle_event AS event
            WHERE event.kind = 'planned' AND event.id > made.id AND event.detail -> 'number' = p_detail -> 'number'
            AND event.detail ->> 'step' IN ('done', 'withdrawn')
        ) OR step = 'done' AND NOT (session_user = current_user OR has_function_privilege(
            session_user, 'lifecycle.announce_v1(jsonb)'::regprocedure, 'EXECUTE')) THEN
            RAISE EXCEPTION 'there is no such plan of % that may be %', p_model, step
                USING ERRCODE = 'insufficient_privilege';
        END IF;
    END IF;
    RETURN lifecycle.write_v1('planned', p_policy, p_model, NULL, 0, NULL, NULL, NULL, p_detail, NULL);
END $$
