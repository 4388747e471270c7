-- 6. Agenda, exceptions and states equal the fold of the ledger. Makes them again and compares, so
-- run it in a transaction and roll that back; writes to the ledger wait meanwhile.
LOCK TABLE lifecycle_event IN SHARE MODE;
CREATE TEMP TABLE was_agenda ON COMMIT DROP AS SELECT * FROM lifecycle_agenda;
CREATE TEMP TABLE was_exception ON COMMIT DROP AS SELECT * FROM lifecycle_exception;
CREATE TEMP TABLE was_policy ON COMMIT DROP AS SELECT name, state FROM lifecycle_policy;
SELECT lifecycle.rebuild_v1();
WITH was AS (
    SELECT event_id AS id, 'agenda' AS part, to_jsonb(was_agenda) AS line FROM was_agenda
    UNION ALL
    SELECT event_id, 'exception', to_jsonb(was_exception) - 'id' FROM was_exception
    UNION ALL
    SELECT NULL, 'policy', to_jsonb(was_policy) FROM was_policy
), is_now AS (
    SELECT event_id AS id, 'agenda' AS part, to_jsonb(agenda) AS line FROM lifecycle_agenda AS agenda
    UNION ALL
    SELECT event_id, 'exception', to_jsonb(exception) - 'id' FROM lifecycle_exception AS exception
    UNION ALL
    SELECT NULL, 'policy', to_jsonb(policy) FROM (SELECT name, state FROM lifecycle_policy) AS policy
), differing AS (
    (SELECT *, 'is there and the ledger does not give it' AS problem FROM was
     EXCEPT ALL SELECT *, 'is there and the ledger does not give it' FROM is_now)
    UNION ALL
    (SELECT *, 'is given by the ledger and is not there' FROM is_now
     EXCEPT ALL SELECT *, 'is given by the ledger and is not there' FROM was)
)
SELECT id, part, problem || ': ' || line FROM differing ORDER BY 1, 2, 3
