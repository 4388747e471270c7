-- name: with_shared_keys
-- Tables that are there and may have several rows under one key.
-- params: names, tables, columns, collations
SELECT given.name
FROM unnest(%(names)s::text[], %(tables)s::text[], %(columns)s::text[],
    %(collations)s::text[]) AS given (name, written, key, collated)
WHERE lifecycle.shares_keys_v1(to_regclass(given.written), given.key, given.collated)
