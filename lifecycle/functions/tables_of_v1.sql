-- The tables of a model: those in the ledger's schema with our DELETE trigger for it, whose function bears the
-- model's name and is the ledger's owner's, or a superuser's: who may create in the schema can plant a trigger
-- there, but not with such a function, which nobody else may execute. None of a model without policies, or whose
-- policies all listen to Django's signals.
CREATE FUNCTION lifecycle.tables_of_v1(p_model text) RETURNS SETOF oid
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT place.oid FROM pg_trigger JOIN pg_class AS place ON place.oid = tgrelid
    JOIN pg_proc AS made ON made.oid = tgfoid JOIN pg_roles AS owner ON owner.oid = made.proowner
    WHERE starts_with(tgname::text, 'pgtrigger_lc_delete_') AND NOT place.relispartition
    AND place.relkind IN ('r', 'p') AND (owner.rolsuper OR made.proowner =
        (SELECT relowner FROM pg_class WHERE pg_class.oid = '@tables@.lifecycle_event'::regclass))
    AND place.relnamespace = '@tables@'::regnamespace
    AND starts_with(obj_description(tgfoid, 'pg_proc'), 'lifecycle ' || p_model || '-')
$$
