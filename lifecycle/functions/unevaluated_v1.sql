-- What Django's signals say of a saved row on which the policy's expression failed.
CREATE FUNCTION lifecycle.unevaluated_v1(
    p_policy text, p_model text, p_kind text, p_key text, p_sqlstate text
) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT lifecycle.capture_failed_v1(name, model, lifecycle.one_v1(p_kind, p_key),
        coalesce(substring(p_sqlstate FROM '^[0-9A-Z]{5}$'), 'XX000'))
    FROM @tables@.lifecycle_policy WHERE name = p_policy AND model = p_model AND key_kind = p_kind
    AND lifecycle.may_say_v1(model, 'INSERT, UPDATE')
$$
