-- A capture trigger on a table or on a partition, which uses its parent's function.
CREATE OR REPLACE TRIGGER {trigger} {moment} {operation} ON {table} {referencing}
FOR EACH STATEMENT EXECUTE FUNCTION {trigger}()
