-- name: media_status
-- What the agenda lists of files, in names; and whether none goes because all is paused.
WITH clock AS MATERIALIZED (SELECT lifecycle.now_v1() AS now)
SELECT coalesce(sum(entry.count) FILTER (WHERE entry.due_at > now), 0)::bigint,
    coalesce(sum(entry.count) FILTER (WHERE entry.due_at <= now), 0)::bigint,
    coalesce(sum(entry.count) FILTER (WHERE entry.attempts > 0), 0)::bigint,
    date_trunc('second', min(entry.due_at)),
    extract(epoch FROM max(now) - min(entry.due_at) FILTER (WHERE entry.due_at <= now))::float,
    lifecycle.all_paused_v1(), max(now)
FROM clock LEFT JOIN ONLY lifecycle_agenda AS entry ON entry.policy = ''
