-- name: note_versions
-- Note the version of each row of a part, as it is read in this snapshot, where that tells every row: all
-- transactions that were under way have later numbers than those that wrote the rows, so that no change of
-- one can have the same. Returns how many there are, their first and last key and time; nothing, and nothing
-- is noted, where that is not so of some row, or none is there. The age of numbers that are no transaction's is
-- the greatest of all.
-- params: part; parts: rows, time, epoch
WITH lc_snapshot AS MATERIALIZED (
    SELECT pg_snapshot_xmin(pg_current_snapshot()) AS oldest
), lc_noted AS MATERIALIZED (
    SELECT array_agg({key_text} ORDER BY {own_key}) AS keys, array_agg({table}.xmin ORDER BY {own_key}) AS versions,
        min(age({table}.xmin)) AS newest, max(age({table}.xmin)) AS oldest, min({time})::text AS earliest, max({time})::text AS latest
    FROM {table} WHERE {rows}
)
UPDATE purge_archive_part AS part
SET keys = CASE WHEN lc_noted.keys = part.keys THEN part.keys ELSE lc_noted.keys END, versions = lc_noted.versions,
    hashes = NULL, epoch = {epoch}, since = (SELECT oldest::text::bigint FROM lc_snapshot)
FROM lc_noted WHERE part.id = %(part)s
AND lc_noted.newest > age((SELECT oldest::xid FROM lc_snapshot)) AND lc_noted.oldest < 2147483647
RETURNING cardinality(part.keys), part.keys[1], part.keys[cardinality(part.keys)], earliest, latest

-- name: note_written
-- Note what tells each row of a part, as it is read in this snapshot: its version where all transactions
-- that were under way have later numbers, so that no change of it can have the same; else, or `hashed` as well,
-- the hash of its values. Rows that are gone are forgotten; where none is, the keys stay as they are stored. Returns how many there are, their first and last key and time.
-- params: part, knows_versions, hashed; parts: rows, time, hash, epoch
WITH lc_snapshot AS MATERIALIZED (
    SELECT pg_snapshot_xmin(pg_current_snapshot()) AS oldest
), lc_rows AS (
    SELECT {own_key} AS own, {key_text} AS key, {time} AS time, version,
        CASE WHEN version IS NULL OR %(hashed)s THEN {hash} END AS hash
    FROM {table} CROSS JOIN LATERAL (
        SELECT CASE WHEN %(knows_versions)s AND {table}.xmin NOT IN ('0'::xid, '1'::xid, '2'::xid)
            AND age({table}.xmin) > age((SELECT oldest::xid FROM lc_snapshot)) THEN {table}.xmin END AS version
        OFFSET 0) AS lc_version
    WHERE {rows}
), lc_noted AS (
    SELECT array_agg(key ORDER BY own) AS keys, array_agg(version ORDER BY own) AS versions,
        CASE WHEN count(hash) > 0 THEN array_agg(hash ORDER BY own) END AS hashes,
        min(time)::text AS earliest, max(time)::text AS latest
    FROM lc_rows
)
UPDATE purge_archive_part AS part
SET keys = CASE WHEN lc_noted.keys = part.keys THEN part.keys ELSE coalesce(lc_noted.keys, '{{}}') END, versions = lc_noted.versions, hashes = lc_noted.hashes,
    epoch = {epoch}, since = (SELECT oldest::text::bigint FROM lc_snapshot)
FROM lc_noted WHERE part.id = %(part)s
RETURNING cardinality(part.keys), part.keys[1], part.keys[cardinality(part.keys)], earliest, latest
