-- Rows that are back end by another archive: this one was read back long ago, and may be gone when
-- they are released.
WITH closed AS (
    UPDATE purge_archive SET state = 'done'
    WHERE name = %(archive)s AND state IN ('verified', 'left') RETURNING id
)
DELETE FROM purge_archive_part USING closed WHERE archive_id = closed.id
