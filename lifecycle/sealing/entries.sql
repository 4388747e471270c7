-- name: leaves
-- Number and leaf of each event of a range, 8 and 32 bytes one after the other, in no order: where there are many,
-- parallel workers make them.
-- params: lowest, highest, inner, outer
SELECT string_agg(int8send(made.event) || sha256('\000'::bytea || made.entry), ''::bytea)
FROM lifecycle.entries_v1(%(lowest)s, %(highest)s, NULL, %(inner)s, %(outer)s) AS made

-- name: entries
-- params: lowest, highest, events, inner, outer
SELECT made.event, made.entry
FROM lifecycle.entries_v1(%(lowest)s, %(highest)s, %(events)s::bigint[], %(inner)s, %(outer)s) AS made

-- name: records
-- params: events
SELECT record::text FROM lifecycle.records_v1(%(events)s::bigint[]) ORDER BY place
