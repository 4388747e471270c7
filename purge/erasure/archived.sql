-- name: say
-- One event about archives; it has no rows.
-- params: policy, model, detail
SELECT lifecycle.write_v1('archive_erased', %(policy)s, %(model)s, NULL, 0, NULL, NULL, NULL, %(detail)s::jsonb, NULL)

-- name: project
-- What was asked of archives and is neither done nor withdrawn. Numbers and names only.
INSERT INTO purge_archive_erasure (event, erasure, policy, model, reference, asked_at, due_at, looked, archives, rows,
    waits_for, tries)
SELECT asked.id, (asked.detail ->> 'erasure')::bigint, asked.policy, asked.model, coalesce(asked.detail ->> 'reference', ''),
    asked.recorded_at, NULL, '{{}}', 0, 0, '', 0
FROM lifecycle_event AS asked
WHERE asked.kind = 'archive_erased' AND asked.detail ->> 'step' = 'asked' AND asked.detail ->> 'erasure' ~ '^\d{{1,18}}$'
AND NOT EXISTS (SELECT FROM lifecycle_event AS closed
    WHERE closed.kind = 'archive_erased' AND closed.id > asked.id AND closed.detail ->> 'step' IN ('done', 'withdrawn')
    AND closed.detail -> 'request' = to_jsonb(asked.id))
ON CONFLICT (event) DO NOTHING

-- name: project_old
-- Archives that were rewritten and of which nothing says that the old files are gone. Which objects those are is found
-- out anew, where the one that stands for it was put.
INSERT INTO purge_rewrite (policy, model, state, asked, erasure, reference, prefix, place, archive, name, mark, manifest,
    old, event, rows, made_at, due_at, tries, error)
SELECT switched.policy, switched.model, 'switched', (switched.detail ->> 'request')::bigint,
    (switched.detail ->> 'erasure')::bigint, coalesce(switched.detail ->> 'reference', ''),
    coalesce(put.prefix, ''), coalesce(put.place, ''),
    switched.detail ->> 'replaces', coalesce(switched.detail ->> 'archive', ''), gen_random_uuid(),
    switched.detail ->> 'former', '{{}}', switched.id, (switched.detail ->> 'fewer')::bigint, switched.recorded_at,
    (switched.detail ->> 'deadline')::timestamptz, 0, ''
FROM lifecycle_event AS switched
LEFT JOIN LATERAL (SELECT prefix, place FROM purge_archive
    WHERE name IN (switched.detail ->> 'archive', switched.detail ->> 'replaces') AND place <> ''
    ORDER BY id DESC LIMIT 1) AS put ON true
WHERE switched.kind = 'archive_erased' AND switched.detail ->> 'step' = 'rewritten'
AND NOT EXISTS (SELECT FROM purge_rewrite AS known WHERE known.event = switched.id)
AND NOT EXISTS (SELECT FROM lifecycle_event AS gone
    WHERE gone.kind = 'archive_erased' AND gone.id > switched.id AND gone.detail ->> 'step' = 'gone'
    AND gone.detail -> 'request' = to_jsonb(switched.id))

-- name: lose
-- Archives that are lost hold no row any more that is still in its table: it goes into a further one before it is
-- deleted. With names, these; else all that the ledger calls lost.
-- params: names
WITH lc_lost AS MATERIALIZED (
    SELECT archive FROM (
        SELECT DISTINCT ON (detail ->> 'archive') detail ->> 'archive' AS archive, detail ->> 'step' AS step
        FROM lifecycle_event WHERE kind = 'archive_lost' AND detail ->> 'step' IN ('lost', 'found')
        ORDER BY detail ->> 'archive', id DESC) AS lc_last
    WHERE step = 'lost' AND (%(names)s::text[] IS NULL OR archive = ANY (%(names)s::text[]))
), lc_done AS (
    UPDATE purge_archive SET state = 'done'
    WHERE name IN (SELECT archive FROM lc_lost) AND state IN ('verified', 'left')
)
DELETE FROM purge_archive_part WHERE archive_id IN (
    SELECT id FROM purge_archive WHERE name IN (SELECT archive FROM lc_lost) AND state IN ('verified', 'left', 'done'))

-- name: forget
-- What no event tells of goes; what is being made stays, for its objects have to be found, and so does what is known
-- of old objects while nothing says that they are gone.
WITH lc_jobs AS (DELETE FROM purge_archive_erasure)
DELETE FROM purge_rewrite AS own WHERE state = 'switched' AND NOT EXISTS (
    SELECT FROM lifecycle_event AS switched
    WHERE switched.id = own.event AND switched.kind = 'archive_erased' AND switched.detail ->> 'step' = 'rewritten'
    AND switched.detail ->> 'replaces' = own.archive AND NOT EXISTS (SELECT FROM lifecycle_event AS gone
        WHERE gone.kind = 'archive_erased' AND gone.id > switched.id AND gone.detail ->> 'step' = 'gone'
        AND gone.detail -> 'request' = to_jsonb(switched.id)))

-- name: waits
-- What erasures wait for, by the events that asked for them.
-- params: asked
SELECT waits_for FROM purge_archive_erasure WHERE event = ANY (%(asked)s::bigint[]) ORDER BY event
