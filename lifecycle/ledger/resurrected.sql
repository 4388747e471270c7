-- name: ended_tables
-- The tables of which rows have ended, with the fields of which identities were made.
SELECT DISTINCT model, coalesce(detail ->> 'identity', '') FROM lifecycle_event
WHERE kind {kinds} AND model <> '' ORDER BY 1, 2

-- name: returned
-- Rows that are there under the keys of endings. One probe of the key's index for each key, however
-- large the table is. No name of ours may be that of a table of the host's.
SELECT lc_ended.id AS event, lc_ended.key::text AS key, lc_row.identity,
    CASE WHEN lc_ended.identities IS NULL OR lc_row.identity IS NULL THEN {alone}
         WHEN substr(lc_ended.identities, (8 * lc_ended.place - 7)::int, 8) = lc_row.identity THEN true
         ELSE {differs} END AS same,
    coalesce(age(lc_row.lc_written) > lc_ended.lc_age, false) AS older
FROM (
    SELECT event.id, event.identities, lc_subject.key, lc_subject.place,
        -- In a ledger that was copied as a whole, numbers of transactions say nothing of its events.
        CASE WHEN event.xmin <> (SELECT xmin FROM lifecycle_event ORDER BY id LIMIT 1) THEN age(event.xmin) END AS lc_age
    FROM lifecycle_event AS event CROSS JOIN LATERAL (  -- probed: a merge would read the ledger for every set
        SELECT {subjects}, subjects_range FROM lifecycle_event AS named
        WHERE named.id = coalesce(event.basis, event.id) OFFSET 0
    ) AS lc_owner CROSS JOIN LATERAL (
        SELECT key, row_number() OVER (ORDER BY {order}) AS place
        FROM (SELECT unnest(lc_owner.{subjects}) AS key
              UNION ALL
              SELECT k::text::{kind} FROM generate_series(
                  lower(lc_owner.subjects_range), upper(lc_owner.subjects_range) - 1) AS k) AS lc_listed
    ) AS lc_subject
    WHERE {events} OFFSET 0
) AS lc_ended
CROSS JOIN LATERAL (
    SELECT {identity} AS identity, {table}.xmin AS lc_written FROM {table} WHERE {column} = lc_ended.key::{type} AND {wanted} OFFSET 0
) AS lc_row
