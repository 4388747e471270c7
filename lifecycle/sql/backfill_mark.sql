-- Mark a policy's table to be read from its beginning, where what its triggers go by is new or
-- another one, or the policy begins anew. A table without rows has nothing to read.
INSERT INTO lifecycle_backfill AS walk (policy, capture, why, read, listed, failed, began_at,
                                        resume_at, finished_at)
VALUES (%(policy)s, %(capture)s, 'declared', 0, 0, 0, lifecycle.now_v1(), lifecycle.now_v1(),
        CASE WHEN NOT %(filled)s THEN lifecycle.now_v1() END)
ON CONFLICT (policy) DO UPDATE SET capture = EXCLUDED.capture, why = EXCLUDED.why, last_key = NULL,
    read = 0, listed = 0, failed = 0, began_at = EXCLUDED.began_at, resume_at = EXCLUDED.resume_at,
    finished_at = EXCLUDED.finished_at
WHERE walk.capture <> EXCLUDED.capture OR %(anew)s
