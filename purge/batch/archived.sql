-- name: again
-- When a policy's archive that failed is tried again; NULL where none has failed.
-- params: policy
SELECT max(again_at) FROM purge_archive WHERE policy = %(policy)s AND state IN ('chosen', 'written')

-- name: covering
-- The verified archives that hold some rows as they are now: name, rows in it, when it was verified, the
-- SHA-256 of its manifest, how many of these rows, their keys. Only parts are read that may have one of the keys.
-- params: policy, model; parts: hash, rows
WITH lc_own AS MATERIALIZED (
    SELECT {key_text} AS key FROM {table} WHERE {rows}
), lc_bounds AS MATERIALIZED (
    SELECT min(key COLLATE "C") AS low, max(key COLLATE "C") AS high FROM lc_own
), lc_written AS MATERIALIZED (
    SELECT one.key, one.hash, max(archive.id) AS archive
    FROM purge_archive AS archive JOIN purge_archive_part AS part ON part.archive_id = archive.id
    CROSS JOIN lc_bounds CROSS JOIN LATERAL unnest(part.keys, part.hashes) AS one (key, hash)
    WHERE archive.policy = %(policy)s AND archive.model = %(model)s
    AND archive.state IN ('verified', 'left') AND part.low <= lc_bounds.high AND part.high >= lc_bounds.low
    GROUP BY 1, 2
), lc_covered AS (
    -- Hashed are only rows that some archive may have.
    SELECT lc_written.archive, {own_key} AS key
    FROM lc_written JOIN {table} ON {key_text} = lc_written.key AND lc_written.hash = {hash}
    WHERE {rows}
)
SELECT archive.name, archive.rows, to_json(archive.verified_at) #>> '{{}}',
    encode(sha256(convert_to(archive.manifest, 'UTF8')), 'hex'), count(*), array_agg(key ORDER BY key)::text
FROM lc_covered JOIN purge_archive AS archive ON archive.id = lc_covered.archive GROUP BY archive.id

-- name: uncovered
-- The rows of a set that are not among some keys: how many, as one array, each key as text.
-- params: covered; parts: rows
SELECT count(*), array_agg({own_key} ORDER BY {column})::text, array_agg({key_text} ORDER BY {column})
FROM {table} WHERE {rows} AND {column} <> ALL ((SELECT %(covered)s::{kind}[])::{kind}[]{cast})
