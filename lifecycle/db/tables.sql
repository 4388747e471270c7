-- name: is_elsewhere
-- Whether this session finds one of these tables outside of the ledger's schema.
-- params: tables
SELECT coalesce(bool_or(lifecycle.elsewhere_v1(to_regclass(written))), false)
FROM unnest(%(tables)s::text[]) AS given (written) WHERE to_regclass(written) IS NOT NULL

-- name: away
-- The ledger's schema, where this session makes its tables in another one.
SELECT nspname, current_schema() FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE pg_class.oid = to_regclass('lifecycle_event') AND nspname IS DISTINCT FROM current_schema()

-- name: stands_in
-- Whether this session finds a lasting table of one of these names in the place of the one in the ledger's schema.
-- params: tables
SELECT EXISTS (
    SELECT FROM unnest(%(tables)s::text[]) AS given (written)
    JOIN pg_class AS found ON found.oid = to_regclass(written) AND found.relpersistence <> 't'
    JOIN pg_class AS own ON own.relname = found.relname AND own.oid <> found.oid
    WHERE lifecycle.elsewhere_v1(found.oid) AND NOT lifecycle.elsewhere_v1(own.oid))
