-- name: sample
-- `purged` events, of tables that are watched: of the latest events of the ledger and, by chance, of those on
-- some of its pages, until they have so many rows. By table and by the fields of their identities.
-- params: labels, latest, share, seed, rows
WITH last AS MATERIALIZED (
    SELECT id, kind, model, count, detail FROM lifecycle_event ORDER BY id DESC LIMIT %(latest)s
), drawn AS (
    SELECT id, model, count, detail, true AS first FROM last WHERE kind = 'purged' AND model = ANY (%(labels)s)
    UNION ALL
    SELECT id, model, count, detail, false
    FROM lifecycle_event TABLESAMPLE SYSTEM (%(share)s) REPEATABLE (%(seed)s)
    WHERE kind = 'purged' AND model = ANY (%(labels)s) AND id NOT IN (SELECT id FROM last)
), counted AS (
    SELECT id, model, coalesce(detail ->> 'identity', '') AS names,
        sum(count) OVER (ORDER BY first DESC, hashint8(id # %(seed)s::bigint), id) - count AS before
    FROM drawn
)
SELECT model, names, array_agg(id) FROM counted WHERE before < %(rows)s GROUP BY 1, 2 ORDER BY 1, 2

-- name: set
-- The next such events of the ledger, newest first, until they have so many rows; the lowest number of all.
-- params: labels, below, rows
WITH counted AS (
    SELECT id, model, names, sum(count) OVER (ORDER BY id DESC) - count AS before FROM (
        SELECT id, model, count, coalesce(detail ->> 'identity', '') AS names FROM lifecycle_event
        WHERE kind = 'purged' AND model = ANY (%(labels)s) AND id < %(below)s
        ORDER BY id DESC LIMIT %(rows)s) AS newest
), chosen AS (
    SELECT * FROM counted WHERE before < %(rows)s
)
SELECT model, names, array_agg(id), (SELECT min(id) FROM chosen) FROM chosen GROUP BY 1, 2 ORDER BY 1, 2
