-- Only rows that match are loaded.
DELETE FROM pg_temp.purge_loading WHERE ({matches}) IS NOT TRUE
