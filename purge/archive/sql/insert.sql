-- Never over a row that is there. The keys as the ledger writes them, and how many name files.
WITH brought AS (
    INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE
    SELECT {columns} FROM pg_temp.purge_loading ORDER BY {key}
    ON CONFLICT DO NOTHING
    RETURNING {key}::{kind}::text AS key, {media} AS media
)
SELECT coalesce(array_agg(key), '{{}}'), count(*) FILTER (WHERE media) FROM brought
