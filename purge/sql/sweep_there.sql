-- The same where the policy's expression fails on some row: nobody knows why they are left.
SELECT to_char(lifecycle.window_v1(lifecycle.finite_v1({moment} + %(age)s::interval), %(unit)s) AT TIME ZONE 'UTC',
        'YYYY-MM-DD"T"HH24:MI:SS"+00:00"'), 'left', count(*), %(now)s::timestamptz
FROM {table} WHERE {within} GROUP BY 1 ORDER BY 1
