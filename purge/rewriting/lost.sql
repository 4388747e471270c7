-- name: say
-- One event about an archive that is gone, or is there again; it has no rows.
-- params: policy, model, detail
SELECT lifecycle.write_v1('archive_lost', %(policy)s, %(model)s, NULL, 0, NULL, NULL, NULL, %(detail)s::jsonb, NULL)

-- name: claim
-- What was said last of an archive, where that waits for a second person: the event, who, under which role of the
-- database, and whether it is not too old.
-- params: archive, lasts
SELECT id, actor, role, is_fresh FROM (
    SELECT id, actor, coalesce(detail ->> 'role', '') AS role, detail ->> 'step' AS step,
        recorded_at > lifecycle.now_v1() - %(lasts)s AS is_fresh
    FROM lifecycle_event WHERE kind = 'archive_lost' AND detail ->> 'archive' = %(archive)s ORDER BY id DESC LIMIT 1
) AS lc_last WHERE step = 'declared'

-- name: without
-- Erasures in archives that were done without an archive, and are not open again.
-- params: archive
SELECT DISTINCT policy, model, (detail ->> 'erasure')::bigint, coalesce(detail ->> 'reference', '')
FROM lifecycle_event AS done
WHERE kind = 'archive_erased' AND detail ->> 'step' = 'done' AND detail -> 'lost' ? %(archive)s
AND detail ->> 'erasure' ~ '^\d{{1,18}}$' AND NOT EXISTS (SELECT FROM purge_archive_erasure AS own
    WHERE own.policy = done.policy AND own.erasure = (done.detail ->> 'erasure')::bigint)
ORDER BY 1, 3
