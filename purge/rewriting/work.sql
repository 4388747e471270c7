-- name: due
-- The policies of whose archives something is to be done now.
SELECT policy FROM purge_archive_erasure WHERE again_at IS NULL OR again_at <= lifecycle.now_v1()
UNION SELECT policy FROM purge_rewrite WHERE again_at IS NULL OR again_at <= lifecycle.now_v1()

-- name: note_all
-- What stops everything of a policy.
-- params: names, error, wait
WITH lc_jobs AS (
    UPDATE purge_archive_erasure SET waits_for = %(error)s, tries = tries + 1, again_at = lifecycle.now_v1() + %(wait)s
    WHERE policy = ANY (%(names)s)
)
UPDATE purge_rewrite SET error = %(error)s, tries = tries + 1, again_at = lifecycle.now_v1() + %(wait)s
WHERE policy = ANY (%(names)s)
