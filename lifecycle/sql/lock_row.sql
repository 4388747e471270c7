-- Lock one row as an UPDATE of other columns would: a purge waits or skips it, readers do not.
SELECT {pk}::text FROM {table} WHERE {pk} = %(key)s FOR NO KEY UPDATE
