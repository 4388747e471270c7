-- name: now
SELECT to_char(lifecycle.now_v1() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
