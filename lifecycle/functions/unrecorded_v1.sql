-- Whether no trigger of ours fires for rows that this session takes from a table: it is missing or disabled, or
-- the session is one in which triggers do not fire. Asked by every batch that has taken rows, so in plpgsql, which
-- plans it once a session.
CREATE FUNCTION lifecycle.unrecorded_v1(p_table regclass) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN p_table IS NOT NULL AND NOT EXISTS (
        SELECT FROM pg_trigger WHERE tgrelid = p_table AND starts_with(tgname, 'pgtrigger_lc_delete_')
        AND (tgenabled = 'A' OR tgenabled = CASE current_setting('session_replication_role')
            WHEN 'replica' THEN 'R' ELSE 'O' END::"char"));
END $$
