-- name: unrecorded
-- Tables from which this session takes rows without a trigger of ours.
-- params: names, tables
SELECT given.name FROM unnest(%(names)s::text[], %(tables)s::text[]) AS given (name, written)
WHERE lifecycle.unrecorded_v1(to_regclass(given.written)) ORDER BY 1
