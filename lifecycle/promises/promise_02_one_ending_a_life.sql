-- 2. One ending event per life of a row, and none for a row that is still there. A row that came
-- back under an old key has an event that says when it ends. A life that went along with another
-- row's has no such event and is not asked for one, nor a row that ended with its window: of
-- those promise 12 asks.
WITH story AS MATERIALIZED (
    SELECT *, kind IN ('purged', 'deleted') AS ends,
        due_at IS NOT NULL AND (
            kind IN ('restored', 'expired_by_hand', 'capture_failed', 'loaded') OR kind = 'expiry_scheduled'
            AND coalesce(detail ->> 'relisted', 'later') IN ('later', 'backfill')) AS schedules
    FROM lifecycle.story_v1() WHERE key IS NOT NULL
), lives AS (
    SELECT *, count(*) FILTER (WHERE ends)
            OVER (PARTITION BY model, key ORDER BY id) - ends::int AS life,
        count(*) FILTER (WHERE kind = 'updated')
            OVER (PARTITION BY policy, model, key ORDER BY id) - (kind = 'updated')::int AS update
    FROM story
), counted AS (
    SELECT id, model, key, kind, policy, cause, life, update,
        bool_or(schedules) OVER (PARTITION BY policy, model, key, life) AS lived,
        bool_or(schedules) OVER (PARTITION BY policy, model, key, update) AS renewed
    FROM lives
), last AS (
    SELECT model, key, max(id) FILTER (WHERE ends) AS ended FROM story GROUP BY 1, 2
), there AS (
    SELECT last.ended, rows.policy, rows.model, rows.key
    FROM ({rows}) AS rows JOIN last USING (model, key)
    WHERE last.ended IS NOT NULL AND rows.window_at IS NULL AND NOT EXISTS (
        SELECT FROM story WHERE story.schedules AND story.id > last.ended
        AND story.policy = rows.policy AND story.model = rows.model AND story.key = rows.key)
)
SELECT id, model || ':' || key, 'purged a second time in one life' FROM counted
WHERE kind = 'purged' AND life > 0 AND NOT lived AND cause NOT IN ('cascade', 'replay')
AND policy <> ALL (%(windowed)s)
UNION ALL
SELECT id, model || ':' || key, 'updated a second time, and nothing has changed since' FROM counted
WHERE kind = 'updated' AND update > 0 AND NOT renewed AND cause <> 'replay'
UNION ALL
SELECT ended, model || ':' || key, 'the ledger says it is gone, and it is in its table' FROM there
ORDER BY 1, 2
