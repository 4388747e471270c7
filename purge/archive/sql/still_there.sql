-- Whether some row of an archive is still there as it was written.
SELECT EXISTS (
    SELECT FROM purge_archive_part AS part CROSS JOIN LATERAL (
        SELECT FROM {table} WHERE {column} = ANY (part.keys::{kind}[]{cast}) AND {hash} = ANY (part.hashes) LIMIT 1
    ) AS there WHERE part.archive_id = %(archive)s)
