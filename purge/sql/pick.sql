-- Lock what is due of one policy: one large entry, or as many small ones as fit into a batch.
-- Outside the policy's hours, only what is to be tombstoned.
WITH due AS MATERIALIZED (
    SELECT * FROM lifecycle_agenda
    WHERE policy = %(policy)s AND due_at <= %(now)s AND due_at >= %(since)s
    AND event_id <> ALL (%(seen)s::bigint[]) AND (%(open)s OR tombstone IS NULL)
    AND count > 0  -- the others are what people ask for: see overriding.py
    AND window_at IS NULL  -- windows list no rows: see sweep.py
    ORDER BY due_at, event_id LIMIT %(entries)s FOR UPDATE SKIP LOCKED
), counted AS (
    SELECT *, sum(count) OVER (ORDER BY due_at, event_id) AS running,
        row_number() OVER (ORDER BY due_at, event_id) AS place
    FROM due
)
SELECT counted.event_id, counted.count, counted.attempts, counted.tombstone,
    counted.tombstoned_at, owner.id, lower(owner.subjects_range), upper(owner.subjects_range),
    counted.tombstone IS NOT NULL OR told.detail ? 'again'
        OR told.kind IN ('kept', 'restored', 'expired_by_hand', 'capture_failed')
        OR coalesce(told.detail ->> 'carried' IN ('held', 'released', 'locked'), false),
    CASE WHEN told.detail ? 'reference'
         THEN jsonb_build_object('reference', told.detail -> 'reference',
                                 'erasure', coalesce(told.detail -> 'erasure', to_jsonb(told.id))) END
FROM counted
JOIN lifecycle_event AS told ON told.id = counted.event_id
JOIN lifecycle_event AS owner ON owner.id = coalesce(told.basis, told.id)
WHERE place = 1 OR running <= %(rows)s
ORDER BY place
