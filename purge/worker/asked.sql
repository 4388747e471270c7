-- name: waits
-- Whether a plan is old enough to be withdrawn or to forget its keys; whether a request for erasure may be tried;
-- whether rows of erased ones may leave archives.
-- params: lasts, shown_for, restored
SELECT EXISTS (
    SELECT FROM purge_plan WHERE state IN ('made', 'applying') AND made_at <= clock.now - %(lasts)s
) OR EXISTS (
    SELECT FROM purge_plan_part AS part JOIN purge_plan AS plan ON plan.id = part.plan_id
    WHERE plan.state = 'withdrawn' OR plan.state = 'done' AND plan.done_at <= clock.now - %(shown_for)s
), EXISTS (
    SELECT FROM purge_request WHERE done_at IS NULL AND waits_for <> %(restored)s), EXISTS (
    SELECT FROM purge_archive_erasure WHERE again_at IS NULL OR again_at <= clock.now
) OR EXISTS (
    SELECT FROM purge_rewrite WHERE again_at IS NULL OR again_at <= clock.now)
FROM (SELECT lifecycle.now_v1() AS now OFFSET 0) AS clock
