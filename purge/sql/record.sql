-- What one batch did, counted in the batch's own transaction: also a killed run is told in full.
UPDATE purge_run SET last_batch_at = %(now)s,
    tombstoned = tombstoned + %(tombstoned)s, purged = purged + %(purged)s,
    updated = updated + %(updated)s, kept = kept + %(kept)s, held = held + %(held)s,
    blocked = blocked + %(blocked)s, locked = locked + %(locked)s
WHERE id = %(run)s
