-- The agenda lives from being small: vacuum it by count, not by share.
ALTER TABLE @tables@.lifecycle_agenda
SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000,
     autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 1000)
