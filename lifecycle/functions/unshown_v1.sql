-- What Django's signals say of a file that a deleted row has shown. It has a grace of a day.
-- Nothing where our DELETE trigger tells of the row.
CREATE FUNCTION lifecycle.unshown_v1(p_model text, p_field text, p_name text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET standard_conforming_strings = on AS $$
    SELECT lifecycle.media_orphaned_v1(p_model, p_field, ARRAY[p_name], interval '1 day')
    WHERE p_field ~ '^\w+$' AND p_name <> '' AND EXISTS (SELECT FROM @tables@.lifecycle_policy WHERE model = p_model)
    AND NOT EXISTS (SELECT FROM lifecycle.tables_of_v1(p_model))
$$
