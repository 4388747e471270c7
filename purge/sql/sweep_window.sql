-- The window in which a row ends.
SELECT to_char(lifecycle.window_v1(lifecycle.finite_v1({moment} + %(age)s::interval), %(unit)s) AT TIME ZONE 'UTC',
    'YYYY-MM-DD"T"HH24:MI:SS"+00:00"') FROM {table} WHERE {rows}
