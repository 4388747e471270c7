-- What Django's signals say of a row that was deleted, of a table with a policy. Nothing where our DELETE
-- trigger says it.
CREATE FUNCTION lifecycle.removed_v1(p_model text, p_kind text, p_key text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT lifecycle.ended_v1(p_model, lifecycle.one_v1(p_kind, p_key), 1)
    WHERE EXISTS (SELECT FROM @tables@.lifecycle_policy WHERE model = p_model AND key_kind = p_kind)
    AND NOT EXISTS (SELECT FROM lifecycle.tables_of_v1(p_model))
$$
