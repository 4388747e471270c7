-- 1. No row is purged before greatest(expires, tombstoned_at) + grace: each has a tombstone of this
-- life whose promised time has come or, without a grace, an end on record that has come. A row that
-- was kept or held when it was looked at has lost its tombstone. Not asked of rows that went along
-- with another, of replays, and of named people who skip the grace. Of rows that ended with their
-- window the same is asked of the window.
WITH event AS MATERIALIZED (
    SELECT * FROM lifecycle.story_v1()
), story AS (
    SELECT *,
        CASE WHEN kind = 'expiry_scheduled'
             THEN coalesce(detail ->> 'relisted', 'later') IN ('later', 'backfill')
                 OR detail ->> 'relisted' = 'released' AND policy = ANY (%(windowed)s)
             ELSE kind IN ('restored', 'expired_by_hand', 'capture_failed', 'loaded') END AS schedules,
        kind IN ('expiry_scheduled', 'restored', 'capture_failed', 'loaded')
            AND NOT detail ? 'relisted' AS changes
    FROM event WHERE key IS NOT NULL
), chapters AS (
    SELECT *, count(*) FILTER (WHERE schedules) OVER life AS schedule,
        count(*) FILTER (WHERE changes) OVER life AS change,
        count(*) FILTER (WHERE kind = 'kept' OR detail ->> 'relisted' = 'held') OVER life AS spared
    FROM story WINDOW life AS (PARTITION BY policy, model, key ORDER BY id)
), rows AS (
    SELECT *,
        first_value(due_at) OVER (PARTITION BY policy, model, key, schedule ORDER BY id) AS due,
        min(due_at) FILTER (WHERE kind = 'tombstoned')
            OVER (PARTITION BY policy, model, key, change ORDER BY id) AS promised,
        bool_or(kind = 'tombstoned')
            OVER (PARTITION BY policy, model, key, change, spared ORDER BY id) AS stoned
    FROM chapters
), judged AS (
    SELECT id, model, key, CASE
        WHEN recorded_at >= promised THEN NULL
        WHEN promised IS NOT NULL AND (stoned OR graced)
            THEN 'purged before ' || promised || ', which its tombstone promised'
        WHEN graced THEN 'purged without the tombstone that its grace asks for'
        WHEN schedule = 0 THEN 'purged, and no event says when it ends'
        WHEN due IS NULL THEN 'purged after it was taken back to live'
        WHEN recorded_at < due THEN 'purged before its end at ' || due END AS problem
    FROM rows CROSS JOIN LATERAL (
        SELECT rows.policy = ANY (%(graced)s) AND rows.id > coalesce(max(declared.id), 0) AS graced
        FROM lifecycle_event AS declared
        WHERE declared.kind = 'policy_changed' AND declared.policy = rows.policy
        AND declared.detail ? 'fingerprint') AS policy_now
    WHERE kind = 'purged' AND cause NOT IN ('cascade', 'replay')
    AND NOT (detail ? 'grace_skipped' AND actor <> '') AND NOT detail ? 'windows'
), swept AS (
    SELECT DISTINCT event.id, policy, model, recorded_at, window_at::timestamptz
    FROM event, jsonb_array_elements_text(detail -> 'windows') AS window_at
    WHERE kind = 'purged' AND cause NOT IN ('cascade', 'replay')
), window_judged AS (
    SELECT id, model, window_at, CASE
        WHEN listed.due IS NULL THEN 'purged, and no event says when its window is over'
        WHEN recorded_at < tombstone.promised
            THEN 'purged before ' || promised || ', which the tombstone of its window promised'
        WHEN graced AND promised IS NULL THEN 'purged without the tombstone that its grace asks for'
        WHEN recorded_at < listed.due THEN 'purged before the end of its window at ' || listed.due
        END AS problem
    FROM swept CROSS JOIN LATERAL (
        SELECT min(due_at) AS due FROM event
        WHERE event.policy = swept.policy AND event.id < swept.id AND kind = 'expiry_scheduled'
        AND (detail ->> 'window')::timestamptz = swept.window_at
    ) AS listed LEFT JOIN LATERAL (
        SELECT due_at AS promised FROM event
        WHERE event.policy = swept.policy AND event.id < swept.id AND kind = 'tombstoned'
        AND (detail ->> 'window')::timestamptz = swept.window_at ORDER BY event.id DESC LIMIT 1
    ) AS tombstone ON true CROSS JOIN LATERAL (
        SELECT swept.policy = ANY (%(graced)s) AND swept.id > coalesce(max(declared.id), 0) AS graced
        FROM lifecycle_event AS declared
        WHERE declared.kind = 'policy_changed' AND declared.policy = swept.policy
        AND declared.detail ? 'fingerprint') AS policy_now
)
SELECT id, model || ':' || key, problem FROM judged WHERE problem IS NOT NULL
UNION ALL
SELECT id, model || ' ' || window_at, problem FROM window_judged WHERE problem IS NOT NULL ORDER BY 1, 2
