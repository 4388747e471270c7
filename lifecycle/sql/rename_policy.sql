-- A policy takes over what its predecessor has ended in these 24 hours, and its state, which is
-- returned: but no pause and no halt of its own is undone, and one that was removed has none to give.
-- No row where there is no predecessor.
WITH was AS MATERIALIZED (
    SELECT * FROM lifecycle_policy WHERE name = %(old)s
), own AS MATERIALIZED (
    SELECT * FROM lifecycle_policy WHERE name = %(new)s
), renamed AS (
    UPDATE lifecycle_policy SET name = %(new)s WHERE name = %(old)s AND NOT EXISTS (SELECT FROM own)
), removed AS (
    DELETE FROM lifecycle_policy WHERE name = %(old)s AND EXISTS (SELECT FROM own)
), counted AS (
    UPDATE lifecycle_policy SET spent = (
        SELECT coalesce(jsonb_object_agg(key, rows), '{{}}') FROM (
            SELECT key, sum(value::bigint) AS rows FROM (
                SELECT * FROM was, jsonb_each_text(was.spent)
                UNION ALL SELECT * FROM own, jsonb_each_text(own.spent)) AS both_of_them
            GROUP BY key) AS hours)
    WHERE name = %(new)s AND EXISTS (SELECT FROM was)
), forgotten AS (
    DELETE FROM lifecycle_backfill WHERE policy = %(old)s
)
SELECT CASE WHEN own.state IN ('paused', 'halted') OR was.state = 'removed'
            THEN coalesce(own.state, was.state) ELSE was.state END
FROM was LEFT JOIN own ON true
