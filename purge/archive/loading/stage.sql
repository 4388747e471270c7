-- name: stage
-- Where a batch waits: the columns that are loaded, of the types that they are to have.
CREATE TEMP TABLE purge_loading ON COMMIT DROP AS SELECT {columns} FROM {table} WITH NO DATA

-- name: stage_in
-- Values as the text that PostgreSQL gave when it was asked for them.
COPY pg_temp.purge_loading ({columns}) FROM STDIN

-- name: stage_filter
-- Only rows that match are loaded.
DELETE FROM pg_temp.purge_loading WHERE ({matches}) IS NOT TRUE

-- name: advance
-- Keys that the sequence would hand out again are left behind, before anybody sees the rows. The
-- margin is for keys handed out between the look and the setting: without it the sequence could be
-- set back behind one of those. A lock would have to wait for every open writer.
SELECT setval(owned, least(highest + 1000, seqmax))
FROM (SELECT pg_get_serial_sequence(%(table)s, %(column)s)::regclass::oid AS owned) AS known
JOIN pg_sequence ON seqrelid = owned AND seqincrement > 0
CROSS JOIN (SELECT max({key})::bigint AS highest FROM pg_temp.purge_loading) AS loading
WHERE highest > coalesce(pg_sequence_last_value(owned), 0)

-- name: insert
-- Never over a row that is there. The keys as the ledger writes them, and how many name files.
WITH brought AS (
    INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE
    SELECT {columns} FROM pg_temp.purge_loading ORDER BY {key}
    ON CONFLICT DO NOTHING
    RETURNING {key}::{kind}::text AS key, {media} AS media
)
SELECT coalesce(array_agg(key), '{{}}'), count(*) FILTER (WHERE media) FROM brought

-- name: left_out
-- The rows that were not loaded: their keys, and whether a row with that key is there.
SELECT loading.{key}::{kind}::text,
    EXISTS (SELECT FROM {table} AS own WHERE own.{key} = loading.{key})
FROM pg_temp.purge_loading AS loading
WHERE loading.{key}::{kind}::text NOT IN (SELECT unnest(%(loaded)s::text[])) ORDER BY loading.{key}

-- name: close
-- Rows that are back end by another archive: this one was read back long ago, and may be gone when
-- they are released.
WITH closed AS (
    UPDATE purge_archive SET state = 'done'
    WHERE name = %(archive)s AND state IN ('verified', 'left') RETURNING id
)
DELETE FROM purge_archive_part USING closed WHERE archive_id = closed.id
