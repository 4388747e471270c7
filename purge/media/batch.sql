-- name: begin
-- First statement of a media batch: the lock that a pause of everything waits for, and whether all is
-- paused: some policies are, and none is enabled. Its clock readings serve the whole batch. A store may
-- take longer to answer than the site lets a transaction be idle.
SELECT set_config('lock_timeout', '300ms', true),
    set_config('idle_in_transaction_session_timeout', '0', true),
    pg_advisory_xact_lock_shared(hashtextextended('lifecycle:', 0)),
    lifecycle.now_v1(), clock_timestamp(),
    lifecycle.all_paused_v1()

-- name: pick
-- Lock what is due of the media: one large entry, or as many small ones as fit into a request. Stores
-- that do not answer now are left alone, by their fields. Last, whether the site itself took the names away.
WITH due AS MATERIALIZED (
    SELECT entry.event_id, entry.due_at, entry.count, entry.attempts
    FROM lifecycle_agenda AS entry
    WHERE entry.policy = '' AND entry.due_at <= %(now)s AND entry.due_at >= %(since)s
    AND entry.event_id <> ALL (%(seen)s::bigint[])
    AND (%(resting)s::text[] = '{{}}' OR NOT EXISTS (
        SELECT FROM lifecycle_event AS told WHERE told.id = entry.event_id
        AND told.model || '.' || (told.detail ->> 'field') = ANY (%(resting)s::text[])))
    ORDER BY entry.due_at, entry.event_id LIMIT %(most)s FOR UPDATE SKIP LOCKED
), counted AS (
    SELECT *, sum(count) OVER (ORDER BY due_at, event_id) AS running,
        row_number() OVER (ORDER BY due_at, event_id) AS place
    FROM due
)
SELECT counted.event_id, counted.attempts, told.model, told.detail ->> 'field', told.detail -> 'names',
    coalesce((told.detail ->> 'since')::timestamptz, told.recorded_at),
    (told.run IS NULL AND NOT told.detail ? 'since') OR told.detail ->> 'reason' IS NOT DISTINCT FROM 'observed'
FROM counted JOIN lifecycle_event AS told ON told.id = counted.event_id
WHERE place = 1 OR running <= %(most)s
ORDER BY place

-- name: renamed
-- What a model is called now that was renamed, or moved to another app, with its policy.
WITH RECURSIVE names AS (
    SELECT %(model)s::text AS model, 0::bigint AS id
    UNION
    SELECT told.model, told.id FROM names JOIN lifecycle_event AS told
        ON told.kind = 'policy_changed' AND told.detail ->> 'formerly' = names.model AND told.id > names.id
)
SELECT model FROM names WHERE id > 0 ORDER BY id DESC LIMIT 1
