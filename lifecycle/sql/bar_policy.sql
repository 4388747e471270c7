-- Exclusive against the batches of one policy; held to the end of the transaction.
SELECT pg_advisory_xact_lock(hashtextextended('lifecycle:' || %(policy)s::text, 0))
