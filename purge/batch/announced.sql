-- name: announce
-- Tell the triggers what the next statement is; NULL ends it. Without `wait` locks are waited for as
-- before.
-- params: ending, wait
SELECT lifecycle.announce_v1(%(ending)s::jsonb),
    set_config('lock_timeout', coalesce(%(wait)s, current_setting('lock_timeout')), true)
