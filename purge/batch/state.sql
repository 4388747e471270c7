-- name: write
-- One event of the runner about a set of rows.
SELECT lifecycle.write_v1(%(kind)s, %(policy)s, %(model)s, {subjects}, %(count)s, %(basis)s,
    %(due)s::timestamptz, %(run)s, %(detail)s::jsonb, %(settled)s::bigint[],
    {identities})
