-- Tell the triggers what the next statements of this transaction are: the engine's. The setting is
-- anybody's to write, so a proof stands before what it says. NULL: from now on they are the host's own.
CREATE FUNCTION lifecycle.announce_v1(p_ending jsonb) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT set_config('lifecycle.ending',
        coalesce(lifecycle.proof_v1(p_ending::text) || p_ending::text, ''), true)
$$
