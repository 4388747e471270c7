-- The pending list: what one row's write has to say, event and agenda entry in one row with one index. It is a part of
-- both tables, so whoever reads the ledger or the agenda reads it too. Workers move what is in it to where it belongs.
CREATE TABLE IF NOT EXISTS @tables@.lifecycle_pending (PRIMARY KEY (id), CHECK (event_id = id))
INHERITS (@tables@.lifecycle_event, @tables@.lifecycle_agenda)
WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000,
      autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 1000)
