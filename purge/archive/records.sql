-- name: archived
-- What the ledger says of archives that rows have gone into: their policy, model, and the SHA-256 of the
-- manifest; NULL where the event is from before it was kept. With names, of these alone.
-- params: names
SELECT detail ->> 'archive', policy, model, detail ->> 'manifest'
FROM lifecycle_event
WHERE kind = 'archived' AND detail ? 'archive'
AND (%(names)s::text[] IS NULL OR detail ->> 'archive' = ANY (%(names)s::text[]))
GROUP BY 1, 2, 3, 4

-- name: copies
-- The database's own copies of manifests.
-- params: names
SELECT name, policy, model, manifest FROM purge_archive
WHERE name <> '' AND manifest <> '' AND (%(names)s::text[] IS NULL OR name = ANY (%(names)s::text[]))

-- name: lost
-- Archives that somebody has declared lost and that were not found again since: their name, policy, model, the event, who
-- has said so, when, why. With names, of these alone.
-- params: names
SELECT archive, policy, model, id, actor, recorded_at, reason FROM (
    SELECT DISTINCT ON (detail ->> 'archive') detail ->> 'archive' AS archive, policy, model, id, actor, recorded_at,
        coalesce(detail ->> 'reason', '') AS reason, detail ->> 'step' AS step
    FROM lifecycle_event
    WHERE kind = 'archive_lost' AND detail ->> 'step' IN ('lost', 'found')
    AND (%(names)s::text[] IS NULL OR detail ->> 'archive' = ANY (%(names)s::text[]))
    ORDER BY detail ->> 'archive', id DESC
) AS lc_last WHERE step = 'lost' ORDER BY archive

-- name: replaced
-- Archives that were rewritten without some rows: their name, policy, model, the event, how many rows fewer the new one
-- has, its name and the SHA-256 of its manifest where it has any row; whether the old one should be gone. With names,
-- those of either.
-- params: names
SELECT detail ->> 'replaces', policy, model, id, (detail ->> 'fewer')::bigint, detail ->> 'archive',
    detail ->> 'manifest', (detail ->> 'deadline')::timestamptz <= lifecycle.now_v1()
FROM lifecycle_event
WHERE kind = 'archive_erased' AND detail ->> 'step' = 'rewritten'
AND (%(names)s::text[] IS NULL OR detail ->> 'replaces' = ANY (%(names)s::text[])
    OR detail ->> 'archive' = ANY (%(names)s::text[]))
ORDER BY id
