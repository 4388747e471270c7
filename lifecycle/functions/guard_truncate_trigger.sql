-- TRUNCATE fires no row trigger. Switched off in test databases only, by `sync`.
CREATE OR REPLACE TRIGGER lifecycle_event_guard_truncate BEFORE TRUNCATE ON @tables@.lifecycle_event
FOR EACH STATEMENT EXECUTE FUNCTION lifecycle.guard_rows_v1()
