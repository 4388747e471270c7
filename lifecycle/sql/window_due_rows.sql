-- The same of rows that would be ended.
SELECT count(*) FROM (
    SELECT FROM ({state_sql}) AS state
    WHERE matches AND NOT keep AND key IN (SELECT {column} FROM {table} WHERE {within})
    AND key::text NOT IN (
        SELECT held.key FROM lifecycle_exception AS held WHERE kind = 'hold' AND model = %(model)s
        AND (until IS NULL OR until > (SELECT lifecycle.now_v1())))
    LIMIT %(most)s
) AS counted
