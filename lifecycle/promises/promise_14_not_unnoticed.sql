-- 14. No row of a policy with notices comes to its end before its mails went, or were waived, and the time is over that
-- they named. What was said counts until the row was restored or expired by hand, until its end was moved, and until an
-- `Update` has acted. Not asked of rows that a named person has ended, that went along with another one, of replays, and
-- of what ended before the policy was declared as it is. Where not each row of a policy is to be warned, one of which no
-- mail is known, or not all are, may be one of the others by now.
WITH story AS MATERIALIZED (
    SELECT *, count(*) FILTER (WHERE kind IN ('noticed', 'restored', 'expired_by_hand')) OVER life AS chapter
    FROM lifecycle.story_v1() WHERE key IS NOT NULL AND policy = ANY (%(noticing)s)
    WINDOW life AS (PARTITION BY policy, model, key ORDER BY id)
), told AS (
    SELECT *, first_value(kind) OVER since AS word, first_value(detail) OVER since AS said
    FROM story WINDOW since AS (PARTITION BY policy, model, key, chapter ORDER BY id)
), judged AS (
    SELECT id, model, key, CASE
        WHEN chapter > 0 AND word = 'expired_by_hand' THEN NULL
        WHEN chapter = 0 OR word = 'restored' OR said ? 'over' THEN
            CASE WHEN told.policy = ANY (%(warning)s) THEN kind || ', and no mail has warned of it' END
        WHEN (said ->> 'mail')::int < (said ->> 'of')::int AND told.policy = ANY (%(warning)s) THEN kind || ' before all of its mails went'
        WHEN recorded_at < (said ->> 'until')::timestamptz THEN kind || ' before ' || (said ->> 'until') || ', which its mails named'
        END AS problem
    FROM told
    WHERE kind IN ('tombstoned', 'purged', 'updated') AND cause NOT IN ('cascade', 'replay') AND id > (
        SELECT coalesce(max(declared.id), 0) FROM lifecycle_event AS declared
        WHERE declared.kind = 'policy_changed' AND declared.policy = told.policy AND declared.detail ? 'fingerprint')
)
SELECT id, model || ':' || key, problem FROM judged WHERE problem IS NOT NULL ORDER BY 1, 2
