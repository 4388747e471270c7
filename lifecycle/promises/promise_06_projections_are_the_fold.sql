-- 6. Agenda, exceptions, states and segments equal the fold of the ledger. Folds it once more, in one snapshot,
-- into tables of its own that a rollback takes away: no write of the site waits.
CREATE TEMP TABLE fold_agenda (LIKE lifecycle_agenda, PRIMARY KEY (event_id)) ON COMMIT DROP;
CREATE TEMP TABLE fold_exception (LIKE lifecycle_exception INCLUDING IDENTITY) ON COMMIT DROP;
CREATE TEMP TABLE fold_policy ON COMMIT DROP AS SELECT * FROM lifecycle_policy;
{fold};
SELECT pg_temp.fold_v1();
WITH other AS MATERIALIZED (
    SELECT coalesce(agenda.event_id, fold.event_id) AS id, to_jsonb(agenda) AS there, to_jsonb(fold) AS given
    FROM lifecycle_agenda AS agenda FULL JOIN fold_agenda AS fold ON fold.event_id = agenda.event_id
    WHERE agenda IS DISTINCT FROM fold
), was AS (
    SELECT id, 'agenda' AS part, there AS line FROM other WHERE there IS NOT NULL
    UNION ALL
    SELECT event_id, 'exception', to_jsonb(exception) - 'id' FROM lifecycle_exception AS exception
    UNION ALL
    SELECT NULL, 'policy', to_jsonb(policy) FROM (SELECT name, state FROM lifecycle_policy) AS policy
), is_now AS (
    SELECT id, 'agenda' AS part, given AS line FROM other WHERE given IS NOT NULL
    UNION ALL
    SELECT event_id, 'exception', to_jsonb(exception) - 'id' FROM fold_exception AS exception
    UNION ALL
    SELECT NULL, 'policy', to_jsonb(policy) FROM (SELECT name, state FROM fold_policy) AS policy
), segment AS MATERIALIZED (
    SELECT first, last, model, bases, lows, highs, filter, days FROM lifecycle_segment
), piece AS (
    SELECT first, last, lag(last, 1, 0::bigint) OVER (ORDER BY first) AS before FROM segment WHERE model = ''
), made AS MATERIALIZED (
    SELECT first, last, made.*, NULL::jsonb FROM piece CROSS JOIN LATERAL lifecycle.segment_v1(first, last) AS made
    UNION ALL
    SELECT first, last, '', NULL, NULL, NULL, NULL, lifecycle.days_v1(first, last) FROM piece
), pruned AS (
    SELECT coalesce(max((detail ->> 'upto')::bigint), 0) AS upto FROM lifecycle_event WHERE kind = 'pruned'
), wrong AS (  -- segments also tell of events that have left the table for the log
    SELECT * FROM ((TABLE segment EXCEPT TABLE made) UNION ALL (TABLE made EXCEPT TABLE segment)) AS other
    WHERE first > (SELECT upto FROM pruned)
), differing AS (
    (SELECT *, 'is there and the ledger does not give it' AS problem FROM was
     EXCEPT ALL SELECT *, 'is there and the ledger does not give it' FROM is_now)
    UNION ALL
    (SELECT *, 'is given by the ledger and is not there' FROM is_now
     EXCEPT ALL SELECT *, 'is given by the ledger and is not there' FROM was)
)
SELECT id, part, problem || ': ' || line FROM differing
UNION ALL
SELECT DISTINCT first, 'segment ' || model, 'is not what the events up to ' || last || ' give' FROM wrong
UNION ALL
SELECT first, 'segment', 'does not follow the one before' FROM piece WHERE first <> before + 1
ORDER BY 1, 2, 3
