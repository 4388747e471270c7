-- The ending events of this run after a number.
SELECT id FROM lifecycle_event
WHERE id > %(before)s AND run = %(run)s AND kind = 'purged' AND model = %(model)s ORDER BY id
