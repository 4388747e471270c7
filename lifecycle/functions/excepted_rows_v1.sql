-- What is said of single rows of a partition that keeps it: how many rows are held, and how many are restored. A hold on a
-- key holds each row that has it. What else is said of a row ends it, or is about mails: that keeps nothing.
CREATE FUNCTION lifecycle.excepted_rows_v1(p_policy text, p_place oid) RETURNS TABLE (held bigint, restored bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET row_security = off ROWS 1 AS $$
DECLARE
    about record;
BEGIN
    SELECT model, partitioned ->> 'key' AS key, key_kind INTO STRICT about
    FROM @tables@.lifecycle_policy WHERE name = p_policy AND partitioned IS NOT NULL;
    RETURN QUERY EXECUTE format(
        'SELECT count(*) FILTER (WHERE one.kind = ''hold''), count(*) FILTER (WHERE one.kind = ''restored'')
         FROM (SELECT DISTINCT kind, key FROM @tables@.lifecycle_exception
             WHERE model = $1 AND key <> '''' AND (kind = ''hold'' OR kind = ''restored'' AND policy = $2)
             AND lifecycle.in_force_v1(until, lifecycle.now_v1())) AS one
         JOIN ONLY %s AS there ON there.%I = one.key::%s',
        p_place::regclass, about.key, CASE about.key_kind WHEN 'uuid' THEN 'uuid' ELSE 'bigint' END)
        USING about.model, p_policy;
END $$
