-- 5. An archived row leaves the database only after its archive was read back and matched: what a
-- policy that archives has purged is among the rows that it has archived before, into an archive that
-- was verified by then and has that many rows. Rows that went along with another, and replays, are
-- not asked for one; nor is what ended before the policy was declared as it is.
WITH archived AS MATERIALIZED (
    SELECT id, policy, model, recorded_at, detail ->> 'archive' AS archive,
        (detail ->> 'rows')::bigint AS rows, (detail ->> 'verified')::timestamptz AS verified
    FROM lifecycle_event WHERE kind = 'archived'
), purged AS MATERIALIZED (
    SELECT id, policy, model, count, detail ->> 'archive' AS archive FROM lifecycle_event AS event
    WHERE kind = 'purged' AND cause NOT IN ('cascade', 'replay') AND (detail ? 'archive'
        OR policy = ANY (%(archiving)s) AND id > (
            SELECT coalesce(max(declared.id), 0) FROM lifecycle_event AS declared
            WHERE declared.kind = 'policy_changed' AND declared.policy = event.policy
            AND declared.detail ? 'fingerprint'))
), written AS MATERIALIZED (
    SELECT archived.id, archived.model, archive, archived.rows, key
    FROM archived, lifecycle.keys_v1(archived.id) AS key
)
SELECT id, model, 'purged, and no event says that it was archived' FROM purged
WHERE NOT EXISTS (SELECT FROM archived WHERE archived.archive = purged.archive
    AND archived.model = purged.model AND archived.id < purged.id)
UNION ALL
SELECT purged.id, purged.model || ':' || gone.key, 'purged, and not among the rows of ' || purged.archive
FROM purged, lifecycle.keys_v1(purged.id) AS gone (key)
WHERE EXISTS (SELECT FROM archived WHERE archived.archive = purged.archive AND archived.id < purged.id)
AND NOT EXISTS (SELECT FROM written WHERE written.archive = purged.archive
    AND written.model = purged.model AND written.key = gone.key AND written.id < purged.id)
UNION ALL
SELECT id, model, 'archived before its archive was read back' FROM archived
WHERE verified IS NULL OR verified > recorded_at
UNION ALL
SELECT max(id), model, 'more rows were archived into ' || archive || ' than it has' FROM written
GROUP BY model, archive HAVING count(DISTINCT key) > max(rows)
ORDER BY 1, 2
