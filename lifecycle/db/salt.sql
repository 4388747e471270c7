-- name: is_other
-- Whether the salt is not the one that the ledger came with; both are marked when they are made.
SELECT coalesce(obj_description(to_regclass('lifecycle_event'), 'pg_class')
    <> obj_description(to_regclass('lifecycle.salt'), 'pg_class'), false)
