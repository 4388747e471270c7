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
