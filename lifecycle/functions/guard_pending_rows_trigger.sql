-- Guards of a table are not those of its parts.
CREATE OR REPLACE TRIGGER lifecycle_pending_guard_rows BEFORE UPDATE OR DELETE ON @tables@.lifecycle_pending
FOR EACH ROW EXECUTE FUNCTION lifecycle.guard_pending_v1()
