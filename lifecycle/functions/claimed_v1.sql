-- What an event says of the cause and the actor that the session names: of one that is neither the owner's nor the
-- engine's they are a claim, and it is named. Asked by functions that run as the owner.
CREATE FUNCTION lifecycle.claimed_v1() RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN session_user = current_user
                     OR has_function_privilege(session_user, 'lifecycle.announce_v1(jsonb)'::regprocedure, 'EXECUTE')
                THEN '{}' ELSE jsonb_build_object('claimed', session_user) END
$$
