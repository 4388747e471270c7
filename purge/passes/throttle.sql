-- name: note
-- Remember that a policy is slowed down, by what and for how long: what `status` tells, and sums.
-- params: policy, reasons, measured, seconds
INSERT INTO purge_throttle AS known (policy, reason, measured, seconds, since, until)
SELECT %(policy)s, reason, measured, %(seconds)s, lifecycle.now_v1(),
    lifecycle.now_v1() + make_interval(secs => %(seconds)s)
FROM unnest(%(reasons)s::text[], %(measured)s::float[]) AS found (reason, measured)
ON CONFLICT (policy, reason) DO UPDATE SET measured = excluded.measured, until = excluded.until,
    seconds = known.seconds + excluded.seconds,
    since = CASE WHEN known.until < excluded.since - interval '1 minute' THEN excluded.since ELSE known.since END

-- name: slowed
-- What slows policies down at this moment.
SELECT policy, reason, measured, since FROM purge_throttle
WHERE until > lifecycle.now_v1() - interval '1 minute' ORDER BY policy, reason
