-- Whether the role that calls may say something of a model's rows: of a table that is known it has to be able to do
-- the like by itself. DELETE, or UPDATE of the whole table, is always enough; else one of p_columns on some column:
-- UPDATE for what keeps rows, INSERT or UPDATE for what a save says, none (NULL) for what lets rows end. The role
-- is the session's, or that of SET ROLE: the functions that ask run as their owner.
CREATE FUNCTION lifecycle.may_say_v1(p_model text, p_columns text) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    who CONSTANT name := coalesce(nullif(current_setting('role'), 'none'), session_user);
BEGIN
    RETURN NOT EXISTS (
        SELECT FROM lifecycle.tables_of_v1(p_model) AS place
        WHERE NOT has_table_privilege(who, place, 'DELETE, UPDATE')
        AND NOT coalesce(has_any_column_privilege(who, place, p_columns), false));
END $$
