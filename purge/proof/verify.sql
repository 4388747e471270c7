-- name: logs
SELECT incarnation FROM lifecycle_log ORDER BY incarnation

-- name: unsealed
-- Events of the table, up to a number, that no log has.
-- params: last
SELECT id FROM lifecycle_event WHERE id <= %(last)s EXCEPT SELECT unnest(events) FROM lifecycle_seal ORDER BY 1

-- name: turned_back
-- The first events, up to a number, whose time is earlier than one before them has by more than so many seconds. Of
-- those that follow in the same turn none is told.
-- params: last, tolerated
SELECT id, recorded_at::text, latest::text FROM (
    SELECT id, recorded_at, latest, is_back, lag(is_back, 1, false) OVER (ORDER BY id) AS was_back FROM (
        SELECT id, recorded_at, latest, recorded_at < latest - make_interval(secs => %(tolerated)s) AS is_back FROM (
            SELECT id, recorded_at, max(recorded_at) OVER (
                ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS latest
            FROM lifecycle_event WHERE id <= %(last)s
        ) AS told
    ) AS compared
) AS turns WHERE is_back AND NOT coalesce(was_back, false) ORDER BY id LIMIT 20
