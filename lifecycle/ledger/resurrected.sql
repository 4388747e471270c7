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
    {older} AS older
FROM (
    SELECT event.id, event.identities, lc_subject.key, lc_subject.place,
        -- In a ledger that was copied as a whole, or put back, numbers of transactions say nothing of its events.
        CASE WHEN event.xmin <> (SELECT xmin FROM lifecycle_event ORDER BY id LIMIT 1)
                  AND event.id > coalesce((SELECT max(recovered) FROM lifecycle_log), 0)
             THEN event.xmin::text::bigint END AS lc_xmin, substring(event.detail ->> 'transaction' FROM '^\d{{1,18}}$')::bigint AS lc_transaction,
        (SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint) AS lc_next
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
    SELECT {identity} AS identity, {table}.xmin::text::bigint AS lc_written FROM {table} WHERE {column} = lc_ended.key::{type} AND {wanted} OFFSET 0
) AS lc_row

-- name: known
-- The whole number of an event's transaction, as far as it is known, and one that no transaction has yet. That of an
-- event beyond 2,147,483,648 is in its detail, as that of its outermost transaction; those of its savepoints follow. A
-- transaction under way may have a number beyond the next one's.
SELECT {next} + 16777216 AS horizon, CASE
        WHEN {transaction} IS NULL THEN CASE WHEN {xmin} < 2147483648 THEN {xmin} END
        WHEN mod(mod({xmin} - {transaction}, 4294967296) + 4294967296, 4294967296) < 1048576
        THEN {transaction} + mod(mod({xmin} - {transaction}, 4294967296) + 4294967296, 4294967296)
        END AS event

-- name: older
-- Whether a row was written before an event, by the numbers of their transactions, for certain. A system column has the
-- last 32 bits, so that 4,294,967,296 transactions later it says the same; of an event that many before the next one
-- nothing is said. A row is as young as its number can be: it may be older, but not younger. Numbers below 3 stand before
-- all others.
coalesce((
    SELECT CASE WHEN horizon - event NOT BETWEEN 0 AND 4294967295 THEN false WHEN {row} < 3 THEN true
        ELSE mod(mod(horizon - {row}, 4294967296) + 4294967296, 4294967296) > horizon - event END
    FROM ({known}) AS known
), false)

-- name: altered
-- Whether columns of a table may have been made, renamed or given another type after an event. Not where the event's
-- number is not known, as in a ledger that was copied as a whole.
EXISTS (SELECT FROM pg_catalog.pg_attribute AS lc_column CROSS JOIN LATERAL ({known}) AS known
    WHERE lc_column.attrelid = {place}::regclass AND lc_column.attname = ANY ({columns}::text[])
    AND known.event IS NOT NULL AND NOT {older})
