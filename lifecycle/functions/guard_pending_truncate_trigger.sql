-- TRUNCATE fires no row trigger. Switched off in test databases only, by `sync`.
CREATE OR REPLACE TRIGGER lifecycle_pending_guard_truncate BEFORE TRUNCATE ON @tables@.lifecycle_pending
FOR EACH STATEMENT EXECUTE FUNCTION lifecycle.guard_pending_v1()
