-- name: announce
-- Tell the DELETE trigger what the next statement is; an empty text ends it. Without `wait` locks are
-- waited for as before.
SELECT set_config('lifecycle.ending', %(ending)s, true),
    set_config('lock_timeout', coalesce(%(wait)s, current_setting('lock_timeout')), true)
