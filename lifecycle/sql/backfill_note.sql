-- How far the reading has come, in the transaction of the chunk itself, and when it may go on.
UPDATE lifecycle_backfill SET last_key = coalesce(%(last)s::text, last_key), read = read + %(read)s,
    listed = listed + %(listed)s, failed = failed + %(failed)s,
    resume_at = lifecycle.now_v1() + %(pause)s::interval,
    finished_at = CASE WHEN %(finished)s THEN lifecycle.now_v1() END
WHERE policy = %(policy)s RETURNING read, listed, failed
