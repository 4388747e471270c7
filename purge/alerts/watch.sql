-- name: begin
-- From when on to read the ledger for troubles, and lock out other workers; no row while another has
-- begun. The first time a day ago, later an hour before the last time, for writers that commit late.
WITH first AS (
    INSERT INTO purge_alert (kind, policy, model, cause, count, summary, opened_at, seen_at,
                             signalled_at, told_at, tries, again_at)
    SELECT 'look', '', '', '', 0, '', now, now - interval '23 hours', now, now, 0, now
    FROM lifecycle.now_v1() AS now
    ON CONFLICT DO NOTHING RETURNING seen_at
), known AS MATERIALIZED (
    SELECT id, seen_at FROM purge_alert WHERE kind = 'look' FOR UPDATE SKIP LOCKED
), marked AS (
    UPDATE purge_alert SET seen_at = lifecycle.now_v1() WHERE id IN (SELECT id FROM known)
)
SELECT seen_at - interval '1 hour' FROM (TABLE first UNION ALL SELECT seen_at FROM known) AS began

-- name: end_alerts
-- End alerts whose trouble is over. Not the first time that it is not seen: a blocked row may be locked
-- for a moment, and a policy at the edge of its limit is told of once.
UPDATE purge_alert AS alert SET ended_at = lifecycle.now_v1()
WHERE ended_at IS NULL AND CASE kind
    WHEN 'look' THEN false
    WHEN 'halted' THEN NOT EXISTS (
        SELECT FROM lifecycle_policy AS state WHERE state.name = alert.policy AND state.state = 'halted')
    WHEN 'capture_failed' THEN seen_at < lifecycle.now_v1() - interval '24 hours' OR EXISTS (
        SELECT FROM lifecycle_policy AS state
        WHERE state.name = alert.policy AND state.declared_at > alert.seen_at)
    ELSE seen_at < lifecycle.now_v1() - interval '10 minutes' END
RETURNING kind, policy, cause

-- name: open_alert
-- Open an alert, or update that of the same trouble; true when it is new. While mails fail, it waits too.
-- params: kind, policy, model, cause, event, count, summary, run, seen
INSERT INTO purge_alert (kind, policy, model, cause, event, count, summary, run, opened_at, seen_at, tries,
                         again_at)
SELECT %(kind)s, %(policy)s, %(model)s, left(%(cause)s, 200), %(event)s, %(count)s, %(summary)s,
    %(run)s::bigint, now, coalesce(%(seen)s, now), 0,
    coalesce((SELECT max(again_at) FROM purge_alert WHERE told_at IS NULL AND tries > 0), now)
FROM lifecycle.now_v1() AS now
ON CONFLICT (kind, policy, model, cause) WHERE ended_at IS NULL
DO UPDATE SET seen_at = EXCLUDED.seen_at, event = EXCLUDED.event, count = EXCLUDED.count, summary = EXCLUDED.summary
RETURNING xmax = 0

-- name: troubles
-- Rows that cannot end and captures that failed, one row a cause, and when it was last so. Captures
-- that failed before the policy was declared anew do not count.
-- params: since
WITH blocked AS (
    SELECT entry.policy, event.model, entry.event_id, entry.count,
        concat_ws(' ', event.detail ->> 'error', coalesce(event.detail ->> 'constraint',
            event.detail ->> 'table', split_part(event.detail -> 'by' ->> 0, ':', 1),
            event.detail ->> 'sqlstate', event.detail ->> 'code')) AS cause
    FROM lifecycle_agenda AS entry JOIN lifecycle_event AS event ON event.id = entry.event_id
    WHERE entry.attempts > 0 AND event.kind = 'blocked'
)
SELECT 'blocked', policy, model, cause, max(event_id), sum(count)::bigint, lifecycle.now_v1(), cause
FROM blocked GROUP BY policy, model, cause
UNION ALL
SELECT 'capture_failed', event.policy, event.model, coalesce(event.detail ->> 'sqlstate', ''), max(event.id),
    sum(event.count)::bigint, max(event.recorded_at), coalesce(event.detail ->> 'sqlstate', '')
FROM lifecycle_event AS event LEFT JOIN lifecycle_policy AS state ON state.name = event.policy
WHERE event.kind = 'capture_failed' AND event.recorded_at > %(since)s
AND event.recorded_at > coalesce(state.declared_at, '-infinity')
GROUP BY event.policy, event.model, event.detail ->> 'sqlstate'
ORDER BY 1, 2, 3, 4

-- name: lagging
-- Policies of which something has been due for too long, while they might act all that time: not
-- paused, halted or held, and within their hours (`opened`); outside of those they only tombstone.
-- params: names, opened, tombstones, max_lag
WITH clock AS (
    SELECT lifecycle.now_v1() AS now, lifecycle.now_v1() - make_interval(secs => %(max_lag)s) AS late
), acting AS (
    SELECT state.name, state.model, timed.opened, timed.tombstones
    FROM lifecycle_policy AS state CROSS JOIN clock
    JOIN unnest(%(names)s::text[], %(opened)s::timestamptz[], %(tombstones)s::boolean[])
        AS timed (name, opened, tombstones) ON timed.name = state.name
    WHERE state.state = 'enabled' AND NOT EXISTS (
        SELECT FROM lifecycle_exception AS held
        WHERE held.kind = 'hold' AND held.model = state.model AND held.key = ''
        AND lifecycle.in_force_v1(held.until, clock.late))
)
SELECT 'lagging', acting.name, acting.model, '', NULL, waiting.count, clock.now,
    extract(epoch FROM clock.now - waiting.since)::float
FROM clock CROSS JOIN acting CROSS JOIN LATERAL (
    SELECT min(greatest(entry.due_at, event.recorded_at, acting.opened)) AS since, sum(entry.count)::bigint AS count
    FROM lifecycle_agenda AS entry JOIN lifecycle_event AS event ON event.id = entry.event_id
    WHERE entry.policy = acting.name AND entry.due_at < clock.late
    AND (entry.tombstone IS NULL OR NOT acting.tombstones)
) AS waiting
WHERE waiting.since < clock.late AND NOT EXISTS (
    SELECT FROM lifecycle_event AS changed
    WHERE changed.kind IN ('resumed', 'policy_changed', 'hold_released') AND changed.model = acting.model
    AND changed.recorded_at > clock.late)
ORDER BY 2
