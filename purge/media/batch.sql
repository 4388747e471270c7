-- name: begin
-- Begin a batch: share the lock that a pause of everything waits for. A store may take longer to answer
-- than the site lets a transaction be idle.
SELECT set_config('lock_timeout', '300ms', true),
    set_config('idle_in_transaction_session_timeout', '0', true),
    lifecycle.share_lock_v1('')

-- name: state_now
-- The clocks, and whether everything is paused. Run after the lock, so that a pause that was committed
-- while it was waited for is seen.
SELECT lifecycle.now_v1(), clock_timestamp(), lifecycle.all_paused_v1()

-- name: claim
-- Lock due entries of media: one large one, or as many small ones as fit into a batch; not those of
-- fields whose stores do not answer now. What an event says is read as text, for a wrong one must not stop
-- the others; of an entry of one that could not be read, the event is its basis. Last, whether the site
-- itself took the names away.
-- params: now, since, seen, unreachable, most
WITH due AS MATERIALIZED (
    SELECT entry.event_id, entry.due_at, entry.count, entry.attempts
    FROM ONLY lifecycle_agenda AS entry
    WHERE entry.policy = '' AND entry.due_at <= %(now)s AND entry.due_at >= %(since)s
    AND entry.event_id <> ALL (%(seen)s::bigint[])
    AND (%(unreachable)s::text[] = '{{}}' OR NOT EXISTS (
        SELECT FROM lifecycle_event AS event WHERE event.id = entry.event_id
        AND event.model || '.' || (event.detail ->> 'field') = ANY (%(unreachable)s::text[])))
    ORDER BY entry.due_at, entry.event_id LIMIT %(most)s FOR UPDATE SKIP LOCKED
), counted AS (
    SELECT *, sum(count) OVER (ORDER BY due_at, event_id) AS running,
        row_number() OVER (ORDER BY due_at, event_id) AS place
    FROM due
)
SELECT counted.event_id, event.id, counted.attempts, event.model, event.detail ->> 'field', event.detail -> 'names',
    event.detail ->> 'since', event.recorded_at,
    (event.run IS NULL AND NOT event.detail ? 'since') OR event.detail ->> 'reason' IS NOT DISTINCT FROM 'observed'
FROM counted LEFT JOIN lifecycle_event AS listed ON listed.id = counted.event_id
LEFT JOIN lifecycle_event AS event ON event.id = coalesce(listed.basis, listed.id)
WHERE place = 1 OR running <= %(most)s
ORDER BY place

-- name: renamed
-- The label that a model has now which was renamed, or moved to another app, with its policy.
-- params: model
WITH RECURSIVE names AS (
    SELECT %(model)s::text AS model, 0::bigint AS id
    UNION
    SELECT event.model, event.id FROM names JOIN lifecycle_event AS event
        ON event.kind = 'policy_changed' AND event.detail ->> 'formerly' = names.model AND event.id > names.id
)
SELECT model FROM names WHERE id > 0 ORDER BY id DESC LIMIT 1
