-- 6. Agenda, exceptions and states equal the fold of the ledger. Folds it once more, in one snapshot,
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
), differing AS (
    (SELECT *, 'is there and the ledger does not give it' AS problem FROM was
     EXCEPT ALL SELECT *, 'is there and the ledger does not give it' FROM is_now)
    UNION ALL
    (SELECT *, 'is given by the ledger and is not there' FROM is_now
     EXCEPT ALL SELECT *, 'is given by the ledger and is not there' FROM was)
)
SELECT id, part, problem || ': ' || line FROM differing ORDER BY 1, 2, 3
