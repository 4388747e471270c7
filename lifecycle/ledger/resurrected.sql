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
         ELSE {differs} END AS same
FROM (
    SELECT event.id, event.identities, lc_subject.key, lc_subject.place
    FROM lifecycle_event AS event JOIN lifecycle_event AS lc_owner ON lc_owner.id = coalesce(event.basis, event.id)
    CROSS JOIN LATERAL (
        SELECT key, row_number() OVER (ORDER BY {order}) AS place
        FROM (SELECT unnest(lc_owner.{subjects}) AS key
              UNION ALL
              SELECT k::text::{kind} FROM generate_series(
                  lower(lc_owner.subjects_range), upper(lc_owner.subjects_range) - 1) AS k) AS lc_listed
    ) AS lc_subject
    WHERE {events} OFFSET 0
) AS lc_ended
CROSS JOIN LATERAL (
    SELECT {identity} AS identity FROM {table} WHERE {column} = lc_ended.key::{type} AND {wanted} OFFSET 0
) AS lc_row
