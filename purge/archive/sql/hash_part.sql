-- What was written of a part: rows that were gone by then are in it no more.
UPDATE purge_archive_part SET keys = %(keys)s::text[], hashes = %(hashes)s::bytea[]
WHERE id = %(part)s
