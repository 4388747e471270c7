-- The ledger only grows, its pending list too: a row of it may go when the event is in the ledger proper, as it was. How
-- often its rows were tried may change; nothing else. Who saves an event as it is changes nothing.
CREATE OR REPLACE FUNCTION lifecycle.guard_pending_v1() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    times CONSTANT text[] := '{due_at,recorded_at}';
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF EXISTS (
            SELECT FROM @tables@.lifecycle_pending AS here JOIN ONLY @tables@.lifecycle_event AS event ON event.id = here.id
            WHERE here.id = OLD.id AND event IS NOT DISTINCT FROM here::@tables@.lifecycle_event) THEN
            RETURN OLD;
        END IF;
    ELSIF TG_OP = 'UPDATE' THEN
        IF to_jsonb(NEW) - 'attempts' = to_jsonb(OLD) - 'attempts' THEN
            RETURN NEW;
        ELSIF to_jsonb(NEW) - times = to_jsonb(OLD) - times
           AND date_trunc('milliseconds', NEW.recorded_at) = date_trunc('milliseconds', OLD.recorded_at)
           AND date_trunc('milliseconds', NEW.due_at) = date_trunc('milliseconds', OLD.due_at) THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'lifecycle_event is append-only: % refused', TG_OP
        USING ERRCODE = 'restrict_violation', HINT = 'What is pending is moved by `SELECT lifecycle.move_pending_v1()`.';
END $$
