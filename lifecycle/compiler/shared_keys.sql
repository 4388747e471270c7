-- name: with_shared_keys
-- Tables that are there and may have several rows under one key: no valid unique index of all rows has
-- the key as its only column, or other tables inherit from it, whose rows no index of its own covers.
-- params: names, tables, columns
SELECT given.name
FROM unnest(%(names)s::text[], %(tables)s::text[], %(columns)s::text[]) AS given (name, written, key)
CROSS JOIN LATERAL (SELECT to_regclass(given.written)::oid AS oid) AS home
WHERE home.oid IS NOT NULL AND (NOT EXISTS (
    SELECT FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]
    WHERE indrelid = home.oid AND indisunique AND indisvalid AND indpred IS NULL
    AND indnkeyatts = 1 AND attname = given.key
) OR EXISTS (
    SELECT FROM pg_inherits JOIN pg_class ON pg_class.oid = inhparent
    WHERE inhparent = home.oid AND relkind = 'r'))
