-- Whether the role that calls may say something of a model's rows: of a table that is known it has to be able to do
-- the like by itself. What lets rows end wants DELETE, or UPDATE of the whole table; what keeps them, UPDATE of
-- some column. The role is the session's, or that of SET ROLE: the functions that ask run as their owner.
CREATE FUNCTION lifecycle.may_say_v1(p_model text, p_ends boolean) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    who CONSTANT name := coalesce(nullif(current_setting('role'), 'none'), session_user);
BEGIN
    RETURN NOT EXISTS (
        SELECT FROM lifecycle.tables_of_v1(p_model) AS place
        WHERE NOT has_table_privilege(who, place, 'DELETE, UPDATE')
        AND (p_ends OR NOT has_any_column_privilege(who, place, 'UPDATE')));
END $$
