-- The parent's trigger function on one partition.
CREATE OR REPLACE TRIGGER {trigger} AFTER @operation@ ON {table} @referencing@
FOR EACH STATEMENT EXECUTE FUNCTION {function}()
