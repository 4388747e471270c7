-- 3. Nothing under a hold is purged, updated or archived away, not along with another row either.
-- What the host itself deletes is its own affair.
WITH story AS MATERIALIZED (
    SELECT * FROM lifecycle.story_v1()
    WHERE kind IN ('hold_placed', 'purged', 'updated', 'archived')
), released AS (
    SELECT event.id, hold.number::bigint AS hold, let_go.key
    FROM lifecycle_event AS event
    CROSS JOIN jsonb_array_elements_text(event.detail -> 'holds') AS hold (number)
    LEFT JOIN LATERAL lifecycle.keys_v1(event.id) AS let_go (key) ON true  -- none: all that it held
    WHERE event.kind = 'hold_released'
), held AS (
    SELECT story.*, (detail ->> 'until')::timestamptz AS until,
        (SELECT min(released.id) FROM released WHERE released.hold = story.id
         AND (released.key IS NULL OR released.key = story.key)) AS released
    FROM story WHERE kind = 'hold_placed'
), ended AS (
    SELECT * FROM story WHERE kind <> 'hold_placed' AND (key IS NOT NULL OR detail ? 'windows')
), both_known AS (
    SELECT ended.*, held.id AS hold, held.released, held.until
    FROM ended JOIN held ON held.model = ended.model AND held.key = ended.key
    UNION ALL
    SELECT ended.*, held.id, held.released, held.until
    FROM ended JOIN held ON held.model = ended.model AND held.key IS NULL
)
SELECT DISTINCT id, model || ':' || coalesce(key, '*'), kind || ' under the hold of event ' || hold
FROM both_known
WHERE id > hold AND (released IS NULL OR id < released)
AND (until IS NULL OR recorded_at < until)
ORDER BY 1, 2
