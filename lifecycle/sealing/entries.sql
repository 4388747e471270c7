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

-- name: bundles
-- Events as they are published, so many together: their entries, each with its length before it, the leaves that these
-- make now, and their records, a line each.
-- params: lowest, highest, events, inner, outer, width
SELECT string_agg(int2send(length(entry)::int2) || entry, ''::bytea ORDER BY place),
    string_agg(sha256('\000'::bytea || entry), ''::bytea ORDER BY place), string_agg(record || chr(10), '' ORDER BY place)
FROM (
    SELECT made.place, made.entry, made.record
    FROM lifecycle.entries_v1(%(lowest)s, %(highest)s, %(events)s::bigint[], %(inner)s, %(outer)s) AS made OFFSET 0
) AS whole
GROUP BY place / %(width)s ORDER BY place / %(width)s

-- name: records
-- params: lowest, highest, events, inner, outer
SELECT record
FROM lifecycle.entries_v1(%(lowest)s, %(highest)s, %(events)s::bigint[], %(inner)s, %(outer)s) AS made ORDER BY place
