-- name: begin
-- From when on to read the ledger for troubles, and lock out other workers; no row while another has
-- begun. The first time a day ago, later an hour before the last time, for writers that commit late.
WITH first AS (
    INSERT INTO purge_alert (kind, policy, model, cause, count, summary, opened_at, seen_at,
                             signalled_at, sent_at, tries, again_at)
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
RETURNING kind, policy, model, cause

-- name: open_alert
-- Open an alert, or update that of the same trouble; true when it is new. While mails fail, it waits too.
-- params: kind, policy, model, cause, event, count, summary, run, seen
INSERT INTO purge_alert (kind, policy, model, cause, event, count, summary, run, opened_at, seen_at, tries,
                         again_at)
SELECT %(kind)s, %(policy)s, %(model)s, left(%(cause)s, 200), %(event)s, %(count)s, %(summary)s,
    %(run)s::bigint, now, coalesce(%(seen)s, now), 0,
    coalesce((SELECT max(again_at) FROM purge_alert WHERE sent_at IS NULL AND tries > 0), now)
FROM lifecycle.now_v1() AS now
ON CONFLICT (kind, policy, model, cause) WHERE ended_at IS NULL
DO UPDATE SET seen_at = EXCLUDED.seen_at, event = EXCLUDED.event, count = EXCLUDED.count, summary = EXCLUDED.summary
RETURNING xmax = 0

-- name: troubles
-- Rows that cannot end and captures that failed, one row a cause, and when it was last so; and held rows
-- that the site has deleted. Captures that failed before the policy was declared anew do not count.
-- params: since
WITH blocked AS (
    SELECT entry.policy, event.model, entry.event_id, entry.count,
        concat_ws(' ', event.detail ->> 'error', coalesce(event.detail ->> 'constraint',
            event.detail ->> 'table', split_part(event.detail -> 'by' ->> 0, ':', 1),
            event.detail ->> 'sqlstate', event.detail ->> 'code')) AS cause
    FROM ONLY lifecycle_agenda AS entry JOIN lifecycle_event AS event ON event.id = entry.event_id
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
UNION ALL
SELECT 'held_deleted', '', model, '', max(event), sum(rows)::bigint, lifecycle.now_v1(),
    'under hold ' || string_agg(DISTINCT hold::text, ', ')
FROM (SELECT * FROM lifecycle.held_deleted_v1() ORDER BY event DESC LIMIT 1000) AS gone GROUP BY model
ORDER BY 1, 2, 3, 4

-- name: lagging
-- Policies of which something has been due for too long, and why: '' where they might have acted all
-- that time, within their hours (`opened`; outside of those they only tombstone), else what stops
-- them, or the kind of error with which their passes fail. Those that a person has stopped may wait
-- for longer. Files are of no policy. What is archived first is listed anew at every try, so the
-- archive says since when it fails.
-- params: names, opened, tombstones, max_lag, max_stopped; parts: due_agenda, is_tried, first_try, tried_for
WITH clock AS (
    SELECT lifecycle.now_v1() AS now, make_interval(secs => %(max_lag)s::float) AS max_lag,
        make_interval(secs => %(max_stopped)s::float) AS max_stopped
), stored AS (
    SELECT state.name, state.model, timed.opened, coalesce(timed.tombstones, false) AS tombstones,
        CASE WHEN state.state <> 'enabled' THEN state.state
            WHEN EXISTS (SELECT FROM lifecycle_exception AS held
                WHERE held.kind = 'hold' AND held.model = state.model AND held.key = '' AND held.policy <> ''
                AND lifecycle.in_force_v1(held.until, clock.now - clock.max_lag)) THEN 'held'
            WHEN timed.name IS NULL THEN 'undeclared' ELSE '' END AS stopped
    FROM clock CROSS JOIN lifecycle_policy AS state
    LEFT JOIN unnest(%(names)s::text[], %(opened)s::timestamptz[], %(tombstones)s::boolean[])
        AS timed (name, opened, tombstones) ON timed.name = state.name
    WHERE state.state IN ('enabled', 'paused', 'observe')
    UNION ALL
    SELECT '', '', NULL, false, CASE WHEN lifecycle.all_paused_v1() THEN 'paused' ELSE '' END
), acting AS (
    SELECT stored.*,
        now - CASE WHEN stopped IN ('', 'undeclared') THEN max_lag ELSE max_stopped END AS late
    FROM stored CROSS JOIN clock
), waiting AS (
    SELECT acting.*, waiting.*
    FROM acting CROSS JOIN LATERAL (
        SELECT min(since) AS since, sum(count)::bigint AS count, bool_and(is_tried) AS is_tried
        FROM (
            SELECT entry.count, {is_tried} AS is_tried, CASE WHEN {is_tried} THEN {first_try}
                ELSE greatest(entry.due_at, event.recorded_at, acting.opened) END AS since
            FROM {due_agenda} AS entry JOIN lifecycle_event AS event ON event.id = entry.event_id
            WHERE entry.policy = acting.name AND (entry.due_at < acting.late OR entry.attempts > 0)
            AND (entry.tombstone IS NULL OR NOT acting.tombstones)
            AND (entry.due_at < acting.late OR {is_tried})
        ) AS listed
    ) AS waiting
    WHERE waiting.since < acting.late
), unarchived AS (
    SELECT acting.*, archive.since, listed.count
    FROM acting CROSS JOIN clock CROSS JOIN LATERAL (
        SELECT min(again_at - {tried_for}) AS since
        FROM purge_archive WHERE policy = acting.name AND state IN ('chosen', 'written') AND attempts > 0
    ) AS archive CROSS JOIN LATERAL (
        SELECT sum(entry.count)::bigint AS count
        FROM ONLY lifecycle_agenda AS entry JOIN lifecycle_event AS event ON event.id = entry.event_id
        WHERE entry.policy = acting.name AND entry.due_at < now + interval '1 hour'
        AND event.detail ->> 'relisted' = 'archive'
    ) AS listed
    WHERE acting.stopped = '' AND archive.since < acting.late AND listed.count > 0
)
SELECT 'lagging', name, model,
    coalesce(nullif(stopped, ''), CASE WHEN is_tried THEN 'locked' END, run.error, ''),
    NULL, count, now, extract(epoch FROM now - since)::float
FROM clock CROSS JOIN waiting LEFT JOIN LATERAL (
    SELECT started_at, error FROM purge_run WHERE policy = name ORDER BY started_at DESC LIMIT 1
) AS run ON run.started_at > since AND run.error NOT IN ('', 'interrupted') AND run.error !~ '^halted'
WHERE NOT EXISTS (
    SELECT FROM lifecycle_event AS changed
    WHERE changed.kind IN ('resumed', 'policy_changed', 'hold_released') AND changed.model = waiting.model
    AND changed.recorded_at > waiting.late)
UNION ALL
SELECT 'lagging', name, model, 'archive', NULL, count, now, extract(epoch FROM now - since)::float
FROM clock CROSS JOIN unarchived
ORDER BY 2, 4
