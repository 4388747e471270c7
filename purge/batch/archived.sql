-- name: again
-- When a policy's archive that failed is tried again; NULL where none has failed.
-- params: policy
SELECT max(again_at) FROM purge_archive WHERE policy = %(policy)s AND state IN ('chosen', 'written')

-- name: any_archive
-- Whether rows of a policy are in some verified archive.
-- params: policy, model
SELECT EXISTS (SELECT FROM purge_archive
    WHERE policy = %(policy)s AND model = %(model)s AND state IN ('verified', 'left'))

-- name: covering_all
-- The latest verified archive of which one part holds all of some rows as they are now: the same keys, one
-- after the other, with the same versions, which are believed. None where that is not so: then each row is
-- compared by itself.
-- params: policy, model, count; parts: rows, believed
WITH lc_own AS MATERIALIZED (
    SELECT array_agg(key ORDER BY own) AS keys, array_agg(version ORDER BY own) AS versions
    FROM (SELECT {key_text} AS key, {own_key} AS own, {table}.xmin AS version FROM {table} WHERE {rows}) AS lc_row
), lc_parts AS MATERIALIZED (
    SELECT lc_part.archive_id, lc_part.keys, lc_part.versions,
        array_position(lc_part.keys, lc_own.keys[1]) AS first
    FROM lc_own CROSS JOIN purge_archive AS archive JOIN purge_archive_part AS lc_part ON lc_part.archive_id = archive.id
    WHERE archive.policy = %(policy)s AND archive.model = %(model)s AND archive.state IN ('verified', 'left')
    AND lc_part.low{ordered} <= lc_own.keys[1]{ordered} AND lc_part.high{ordered} >= lc_own.keys[1]{ordered}
    AND lc_part.versions IS NOT NULL AND {believed}
)
SELECT archive.name, archive.rows, to_json(archive.verified_at) #>> '{{}}',
    encode(sha256(convert_to(archive.manifest, 'UTF8')), 'hex'), archive.snapshot::text, cardinality(lc_own.keys), ''
FROM lc_own CROSS JOIN lc_parts JOIN purge_archive AS archive ON archive.id = lc_parts.archive_id
WHERE cardinality(lc_own.keys) = %(count)s
AND lc_parts.keys[first:first + %(count)s - 1] = lc_own.keys
AND lc_parts.versions[first:first + %(count)s - 1] = lc_own.versions
ORDER BY archive.id DESC LIMIT 1

-- name: covering
-- The verified archives that hold some rows as they are now: name, rows in it, when it was verified, the
-- SHA-256 of its manifest, the snapshot that shows it in a table, how many of these rows, their keys. Only parts are read that may have one of the keys,
-- and only rows hashed that some archive may have and that their version does not tell.
-- params: policy, model; parts: rows, believed, hash
WITH lc_own AS MATERIALIZED (
    SELECT {compared} AS key, {own_key} AS own, {table}.xmin AS version FROM {table} WHERE {rows}
), lc_bounds AS MATERIALIZED (
    SELECT min(key) AS low, max(key) AS high FROM lc_own
), lc_parts AS MATERIALIZED (
    SELECT lc_part.archive_id AS archive, lc_part.*, {believed} AS believed
    FROM purge_archive AS archive JOIN purge_archive_part AS lc_part ON lc_part.archive_id = archive.id
    WHERE archive.policy = %(policy)s AND archive.model = %(model)s AND archive.state IN ('verified', 'left')
), lc_written AS MATERIALIZED (
    SELECT one.key{ordered} AS key, one.version, one.hash, lc_parts.believed, lc_parts.archive
    FROM lc_parts CROSS JOIN lc_bounds
    CROSS JOIN LATERAL unnest(lc_parts.keys, lc_parts.versions, lc_parts.hashes) AS one (key, version, hash)
    WHERE lc_parts.low{ordered} <= lc_bounds.high AND lc_parts.high{ordered} >= lc_bounds.low
), lc_told AS MATERIALIZED (
    SELECT max(lc_written.archive) AS archive, lc_own.own AS key
    FROM lc_written JOIN lc_own ON lc_own.key = lc_written.key AND lc_own.version = lc_written.version
    WHERE lc_written.believed GROUP BY 2
), lc_covered AS (
    SELECT archive, key FROM lc_told
    UNION ALL SELECT max(lc_written.archive), {own_key}
    FROM lc_written JOIN {table} ON {compared} = lc_written.key
    WHERE lc_written.hash IS NOT NULL AND {rows} AND {own_key} NOT IN (SELECT key FROM lc_told)
    AND lc_written.hash = {hash} GROUP BY 2
), lc_sets AS MATERIALIZED (
    SELECT archive, count(*), array_agg(key ORDER BY key)::text AS keys FROM lc_covered GROUP BY archive
)
SELECT archive.name, archive.rows, to_json(archive.verified_at) #>> '{{}}',
    encode(sha256(convert_to(archive.manifest, 'UTF8')), 'hex'), archive.snapshot::text, lc_sets.count, lc_sets.keys
FROM lc_sets JOIN purge_archive AS archive ON archive.id = lc_sets.archive

-- name: uncovered
-- The rows of a set that are not among some keys: how many, and as one array.
-- params: covered; parts: rows
SELECT count(*), array_agg({own_key} ORDER BY {column})::text
FROM {table} WHERE {rows} AND {column} <> ALL ((SELECT %(covered)s::{kind}[])::{kind}[]{cast})
