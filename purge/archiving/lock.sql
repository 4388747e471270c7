-- name: alone
-- Whether nobody else archives for this policy; until the end of the transaction.
SELECT pg_try_advisory_xact_lock(hashtextextended('lifecycle:archive:' || %(policy)s::text, 0))
