-- A ledger as ten years of a site's rows, written singly, would leave it. Past the guards of the
-- tables, which would take an hour; each statement has numbers from first to last.

-- name: events
INSERT INTO lifecycle_event
    (kind, policy, model, count, subjects_bigint, recorded_at, due_at, cause, actor, detail)
SELECT kinds[1 + i * 7 %% CASE WHEN i %% 200 = 0 THEN 6 ELSE 5 END], named.name, named.model, 1, ARRAY[i],
    now() - interval '90 days' * (1 - i / %(all)s::float8),
    now() + interval '1 second' * (i %% 4000000), '', '', jsonb_build_object()
FROM generate_series(%(first)s::bigint, %(last)s) AS i
JOIN (
    SELECT name, model, row_number() OVER (ORDER BY name) - 1 AS place, count(*) OVER () AS among
    FROM lifecycle_policy WHERE model LIKE 'zoo.%%'
) AS named ON named.place = i %% named.among
CROSS JOIN (SELECT ARRAY['expiry_scheduled', 'purged', 'tombstoned', 'settled', 'purged', 'blocked']) AS k (kinds)

-- name: agenda
INSERT INTO lifecycle_agenda (event_id, policy, due_at, count, attempts, tombstone, tombstoned_at)
SELECT id, policy, now() + interval '1 second' * (id %% 4000000 - 20000), 1,
    CASE WHEN kind = 'blocked' THEN 3 ELSE 0 END,
    CASE WHEN id %% 5 < 4 THEN id END, CASE WHEN id %% 5 < 4 THEN now() END
FROM lifecycle_event WHERE id %% 8 = 0 ON CONFLICT DO NOTHING

-- name: holds
INSERT INTO lifecycle_exception (event_id, kind, policy, model, key, since)
SELECT i, 'hold', '', 'zoo.token', i::text, now() FROM generate_series(1, %(count)s) AS i

-- name: runs
INSERT INTO purge_run (policy, started_at, finished_at, last_batch_at, origin, actor,
    tombstoned, purged, updated, kept, held, blocked, locked, error, batches)
SELECT 'tokens', now() - i * interval '1 minute', now(), now(), 'worker', '',
    1, 1, 0, 0, 0, 0, 0, '', 1
FROM generate_series(1, %(count)s) AS i
