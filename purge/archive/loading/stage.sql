-- name: stage
-- Where a batch waits: the columns that are loaded, of the types of the target.
CREATE TEMP TABLE purge_loading ON COMMIT DROP AS SELECT {columns} FROM {table} WITH NO DATA

-- name: stage_in
-- Copy values in, as the text that PostgreSQL gave for them.
COPY pg_temp.purge_loading ({columns}) FROM STDIN

-- name: stage_filter
-- Drop the rows that do not match the filters.
-- params: those of matches
DELETE FROM pg_temp.purge_loading WHERE ({matches}) IS NOT TRUE

-- name: advance
-- Set the key's sequence past the loaded keys, before anybody sees the rows, so that it gives none of
-- them out again. The margin of 1000 is for keys given out between reading and setting: without it the
-- sequence could go back behind one of those. A lock would have to wait for every open writer.
-- params: table, column
SELECT setval(owned, least(highest + 1000, seqmax))
FROM (SELECT pg_get_serial_sequence(%(table)s, %(column)s)::regclass::oid AS owned) AS known
JOIN pg_sequence ON seqrelid = owned AND seqincrement > 0
CROSS JOIN (SELECT max({key})::bigint AS highest FROM pg_temp.purge_loading) AS loading
WHERE highest > coalesce(pg_sequence_last_value(owned), 0)

-- name: insert
-- Insert the rows that are not there: their keys as the ledger writes them, and how many name files.
WITH brought AS (
    INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE
    SELECT {columns} FROM pg_temp.purge_loading ORDER BY {key}
    ON CONFLICT DO NOTHING
    RETURNING {key_text} AS key, {media} AS media
)
SELECT coalesce(array_agg(key), '{{}}'), count(*) FILTER (WHERE media) FROM brought

-- name: compare
-- What a trigger of the table has made of the rows that came: how many have the key that was written, how
-- many are otherwise, and for each column how many.
-- params: loaded; parts: differs (each column), other (any of them)
SELECT count(*), count(*) FILTER (WHERE {other}), {differs}
FROM pg_temp.purge_loading AS loading JOIN {table} AS own ON own.{key} = loading.{key}
WHERE {loading_text} = ANY (%(loaded)s::text[])

-- name: left_out
-- The rows that were not loaded: their keys, and whether a row with that key is there.
-- params: loaded
SELECT {loading_text},
    EXISTS (SELECT FROM {table} AS own WHERE own.{key} = loading.{key})
FROM pg_temp.purge_loading AS loading
WHERE {loading_text} NOT IN (SELECT unnest(%(loaded)s::text[])) ORDER BY loading.{key}

-- name: close
-- Close an archive of which rows are back: when they end again, another archive must hold them.
-- params: archive
WITH closed AS (
    UPDATE purge_archive SET state = 'done'
    WHERE name = %(archive)s AND state IN ('verified', 'left') RETURNING id
)
DELETE FROM purge_archive_part USING closed WHERE archive_id = closed.id
