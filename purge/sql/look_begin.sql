-- Since when nobody has looked for troubles; no row while somebody else does. The first look reads
-- a day of the ledger; the others an hour more than there is, for writers that commit late.
WITH first AS (
    INSERT INTO purge_alert (kind, policy, model, cause, count, said, opened_at, seen_at,
                             signalled_at, told_at, tries, again_at)
    SELECT 'look', '', '', '', 0, '', now, now - interval '23 hours', now, now, 0, now
    FROM lifecycle.now_v1() AS now
    ON CONFLICT DO NOTHING RETURNING seen_at
), known AS MATERIALIZED (
    SELECT id, seen_at FROM purge_alert WHERE kind = 'look' FOR UPDATE SKIP LOCKED
), marked AS (
    UPDATE purge_alert SET seen_at = lifecycle.now_v1() WHERE id IN (SELECT id FROM known)
)
SELECT seen_at - interval '1 hour' FROM (TABLE first UNION ALL SELECT seen_at FROM known) AS looked
