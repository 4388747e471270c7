-- The ledger only grows; but what its published log has may leave it, where an event of the same transaction says so,
-- and of before when. Who saves an event as it is, as tests and fixtures do, changes nothing: the old
-- row stays, also where the new one has lost microseconds, which Django's JSON has not.
CREATE OR REPLACE FUNCTION lifecycle.guard_rows_v1() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    times CONSTANT text[] := '{due_at,recorded_at}';
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF to_jsonb(NEW) - times = to_jsonb(OLD) - times
           AND date_trunc('milliseconds', NEW.recorded_at) = date_trunc('milliseconds', OLD.recorded_at)
           AND date_trunc('milliseconds', NEW.due_at) IS NOT DISTINCT FROM date_trunc('milliseconds', OLD.due_at) THEN
            RETURN OLD;
        END IF;
    ELSIF TG_OP = 'DELETE' AND current_setting('lifecycle.pruning', true) <> '' THEN
        IF EXISTS (SELECT FROM @tables@.lifecycle_event AS said
                   WHERE said.id = current_setting('lifecycle.pruning')::bigint AND said.kind = 'pruned'
                   AND said.xmin = pg_current_xact_id()::xid AND OLD.id BETWEEN (said.detail ->> 'from')::bigint AND (said.detail ->> 'upto')::bigint
                   AND OLD.recorded_at < (said.detail ->> 'before')::timestamptz) THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'lifecycle_event is append-only: % refused', TG_OP
        USING ERRCODE = 'restrict_violation', HINT = CASE TG_OP
            WHEN 'UPDATE' THEN 'A ledger is not loaded over another: `manage.py dumpdata --exclude lifecycle --exclude purge`.'
            ELSE 'To do away with it: `manage.py lifecycle uninstall --drop-ledger`' END;
END $$
