-- name: counted_out
-- Of locked rows, those that enough others of their group come before: others that are committed, and that nobody can
-- delete or move to another group or place before this batch is committed, for they are locked. One that somebody else
-- has locked, or that a person has expired in spite of what keeps it, does not count.
-- `lc_own` are rows that what is committed counts out; only of their groups are rows locked, the first of each.
-- A group is one line, with its rows as arrays: a join by group would be planned for few rows.
-- params: policy, n, last, and those of the set; parts: rows, grouped, groups, same, by, before, first, matching
WITH lc_row AS MATERIALIZED (
    SELECT {own_key} AS lc_key, {column} AS lc_pk, {by} AS lc_by{grouped} FROM {table} WHERE {rows}
), lc_out AS MATERIALIZED (
    SELECT * FROM lc_row AS lc_own WHERE EXISTS (
        SELECT FROM {table} WHERE {same} AND {matching} AND ({by}, {column}) {before} (lc_by, lc_pk) OFFSET %(last)s)
), lc_own AS MATERIALIZED (
    SELECT array_agg(lc_key) AS lc_keys, array_agg(lc_by) AS lc_bys, array_agg(lc_pk) AS lc_pks, {groups}
    FROM lc_out GROUP BY {groups}
)
SELECT count(*), array_agg(lc_key)::text
FROM lc_own CROSS JOIN LATERAL (
    SELECT count(*) AS lc_count, (array_agg(lc_by ORDER BY lc_by {first}, lc_pk {first}))[%(n)s] AS lc_by,
        (array_agg(lc_pk ORDER BY lc_by {first}, lc_pk {first}))[%(n)s] AS lc_pk
    FROM (
        SELECT {by} AS lc_by, {column} AS lc_pk FROM {table}
        WHERE {same} AND {matching} AND {by} IS NOT NULL
        AND {own_key}::text NOT IN (
            SELECT lc_said.key FROM lifecycle_exception AS lc_said
            JOIN lifecycle_event AS lc_event ON lc_event.id = lc_said.event_id
            WHERE lc_said.policy = %(policy)s AND lc_said.kind = 'expired_by_hand' AND lc_said.key IS NOT NULL
            AND lc_event.detail ? 'without')
        ORDER BY {by} {first}, {column} {first} LIMIT %(n)s FOR SHARE SKIP LOCKED
    ) AS lc_rival
) AS lc_last CROSS JOIN LATERAL unnest(lc_keys, lc_bys, lc_pks) AS lc_each (lc_key, lc_each_by, lc_each_pk)
WHERE lc_count = %(n)s AND (lc_last.lc_by, lc_last.lc_pk) {before} (lc_each_by, lc_each_pk)

-- name: displaced
-- Rows that are past their end, that nothing keeps, and that rows of the set may have counted out: `n` places after a row of the set, and
-- the first one of its group that is not kept. Not those of the batch itself. Rows that were displaced before are listed
-- already: of a row that is one of them itself only what comes with it is asked, where `any_place` says so.
-- params: policy, n, last, now, any_place, and those of the set; parts: rows, claimed, grouped, groups, same, by, before,
-- after, first, matching
WITH lc_own AS MATERIALIZED (
    SELECT {column} AS lc_pk, {by} AS lc_by{grouped} FROM {table} WHERE {rows} AND {matching}
), lc_looked AS MATERIALIZED (
    SELECT * FROM lc_own WHERE %(any_place)s OR NOT EXISTS (
        SELECT FROM {table} WHERE {same} AND {matching} AND ({by}, {column}) {before} (lc_by, lc_pk) OFFSET %(last)s)
), lc_place AS MATERIALIZED (
    SELECT lc_key FROM lc_looked AS lc_own CROSS JOIN LATERAL (
        SELECT {column} AS lc_key FROM {table}
        WHERE {same} AND {matching} AND ({by}, {column}) {after} (lc_by, lc_pk)
        ORDER BY {by} {first}, {column} {first} OFFSET %(last)s LIMIT 1) AS lc_below
    UNION
    SELECT lc_key FROM (SELECT DISTINCT {groups} FROM lc_looked) AS lc_own CROSS JOIN LATERAL (
        SELECT {column} AS lc_key FROM {table} WHERE {same} AND {matching} AND {by} IS NOT NULL
        ORDER BY {by} {first}, {column} {first} OFFSET %(n)s LIMIT 1) AS lc_first
)
SELECT count(*), array_agg({stored_key})::text FROM ({state_sql}) AS state
WHERE key IN (SELECT lc_key FROM lc_place) AND matches AND NOT keep AND lifecycle.finite_v1(due::timestamptz) <= %(now)s
AND NOT {claimed}
