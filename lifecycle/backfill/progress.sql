-- name: backfill_mark
-- Mark a policy's table to be read from its beginning, where what its triggers go by is new or
-- another one, or the policy begins anew. A table without rows has nothing to read.
-- params: policy, capture, filled, anew
INSERT INTO lifecycle_backfill AS walk (policy, capture, why, read, listed, failed, began_at,
                                        resume_at, finished_at)
VALUES (%(policy)s, %(capture)s, 'declared', 0, 0, 0, lifecycle.now_v1(), lifecycle.now_v1(),
        CASE WHEN NOT %(filled)s THEN lifecycle.now_v1() END)
ON CONFLICT (policy) DO UPDATE SET capture = EXCLUDED.capture, why = EXCLUDED.why, last_key = NULL,
    read = 0, listed = 0, failed = 0, began_at = EXCLUDED.began_at, resume_at = EXCLUDED.resume_at,
    finished_at = EXCLUDED.finished_at
WHERE walk.capture <> EXCLUDED.capture OR %(anew)s

-- name: backfill_again
-- Read tables again from their beginning: those that were read to the end longer ago than `ago`, or
-- that were written to meanwhile by statements whose keys could not be read.
-- params: why, policies, ago
UPDATE lifecycle_backfill AS walk SET why = %(why)s, last_key = NULL, read = 0, listed = 0, failed = 0,
    began_at = lifecycle.now_v1(), resume_at = lifecycle.now_v1(), finished_at = NULL
WHERE policy = ANY (%(policies)s) AND CASE %(why)s
    WHEN 'failed' THEN finished_at IS NOT NULL AND EXISTS (
        SELECT FROM lifecycle_event AS event WHERE event.kind = 'capture_failed' AND event.count = 0
        AND event.policy = walk.policy AND event.recorded_at > walk.began_at)
    ELSE finished_at <= lifecycle.now_v1() - %(ago)s::interval OR %(why)s = 'asked' AND why = 'reconcile'
    END
RETURNING policy

-- name: backfill_waiting
-- The policies whose tables are to be read, and may be now, with what the database goes by.
-- params: hurried
SELECT walk.policy, state.fingerprint
FROM lifecycle_backfill AS walk JOIN lifecycle_policy AS state ON state.name = walk.policy
WHERE walk.finished_at IS NULL AND state.state IN ('enabled', 'observe')
AND (%(hurried)s OR walk.resume_at <= lifecycle.now_v1())
ORDER BY 1

-- name: backfill_prepare
-- First statement of a chunk: short waits, and the lock that pauses and changed policies wait for.
-- params: policy
SELECT set_config('lock_timeout', '300ms', true),
    lifecycle.share_lock_v1(%(policy)s)

-- name: backfill_claim
-- A later statement, which sees what a pause has committed: where the reading goes on. One reads at
-- a time, whoever else wants to goes away.
-- params: policy, fingerprint, hurried
SELECT walk.last_key, walk.why
FROM lifecycle_backfill AS walk JOIN lifecycle_policy AS state ON state.name = walk.policy
WHERE walk.policy = %(policy)s AND walk.finished_at IS NULL
AND state.state IN ('enabled', 'observe') AND state.fingerprint = %(fingerprint)s
AND (%(hurried)s OR walk.resume_at <= lifecycle.now_v1())
FOR UPDATE OF walk SKIP LOCKED

-- name: backfill_note
-- How far the reading has come, in the transaction of the chunk itself, and when it may go on.
-- params: last, read, listed, failed, pause, finished, policy
UPDATE lifecycle_backfill SET last_key = coalesce(%(last)s::text, last_key), read = read + %(read)s,
    listed = listed + %(listed)s, failed = failed + %(failed)s,
    resume_at = lifecycle.now_v1() + %(pause)s::interval,
    finished_at = CASE WHEN %(finished)s THEN lifecycle.now_v1() END
WHERE policy = %(policy)s RETURNING read, listed, failed
