-- Part of the DELETE trigger's body, for tables with an identity: what it is made of, in key order.
-- A host's DELETE must not fail because of it.
    BEGIN
        SELECT array_agg(told ORDER BY @order@) INTO lc_told
        FROM (SELECT @pk@::@kind@ AS key, @bytes@ AS told FROM old_rows) AS taken;
    EXCEPTION WHEN OTHERS THEN
        lc_told := NULL;
    END;
