-- The archives that rows have gone into, and that are not told to have been removed.
SELECT DISTINCT detail ->> 'archive' FROM lifecycle_event
WHERE kind = 'archived' AND detail ->> 'archive' IS NOT NULL
