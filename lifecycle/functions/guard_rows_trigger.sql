-- Row by row, so that a statement which touches nothing (loaddata's first UPDATE) passes.
CREATE OR REPLACE TRIGGER lifecycle_event_guard_rows BEFORE UPDATE OR DELETE ON @tables@.lifecycle_event
FOR EACH ROW EXECUTE FUNCTION lifecycle.guard_rows_v1()
