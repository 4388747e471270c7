-- What a row of the pending list is, and is never: nothing but the due time of one row. The
-- planner goes by it: who asks for other events, or for entries of another sort, does not read the list.
ALTER TABLE @tables@.lifecycle_pending DROP CONSTRAINT IF EXISTS lifecycle_written_singly,
    ADD CONSTRAINT lifecycle_written_singly CHECK (
        kind = 'expiry_scheduled' AND policy <> '' AND tombstone IS NULL AND window_at IS NULL
        AND NOT detail ? 'held' AND NOT detail ? 'reference');
-- Of these a batch asks by a policy, where tombstones count (`renewed_v1`): few, as among all events.
CREATE INDEX IF NOT EXISTS lifecycle_pending_again ON @tables@.lifecycle_pending (policy, id)
WHERE detail ? 'again' OR detail ? 'late'
