-- What Django's signals say of a saved row: its end, and whether it is as it was before. Such a row is
-- listed again, for it may have come past the signals; only a changed one takes back a restore or a
-- tombstone. A site's role may be given it: the detail is made here.
CREATE FUNCTION lifecycle.saved_v1(
    p_policy text, p_model text, p_kind text, p_key text, p_due timestamptz, p_resolution interval,
    p_same boolean
) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT lifecycle.scheduled_v1(name, model, lifecycle.one_v1(p_kind, p_key),
        ARRAY[lifecycle.tick_v1(lifecycle.finite_v1(p_due), p_resolution)],
        CASE WHEN p_same THEN jsonb '{"relisted": "backfill"}' ELSE jsonb '{"again": true}' END)
    FROM @tables@.lifecycle_policy WHERE name = p_policy AND model = p_model AND key_kind = p_kind
    AND lifecycle.may_say_v1(model, 'INSERT, UPDATE')
$$
