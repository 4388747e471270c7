-- What the ledger has said of the keys that were found since their earliest ending: loaded or
-- restored on purpose, ended otherwise, written by the host.
WITH since AS (
    SELECT min(event) AS event FROM purge_returned WHERE run = %(run)s AND model = %(model)s
), said AS (
    SELECT id, kind, CASE WHEN basis IS NULL THEN id ELSE basis END AS owner
    FROM lifecycle_event AS told
    WHERE model = %(model)s AND id > (SELECT event FROM since) AND {said}
), keyed AS (
    SELECT key::text AS key,
        max(said.id) FILTER (WHERE said.kind IN ('loaded', 'restored')) AS spared,
        max(said.id) FILTER (WHERE said.kind IN ('deleted', 'purged')) AS ended,
        max(said.id) FILTER (WHERE said.kind IN ('expiry_scheduled', 'capture_failed')) AS written
    FROM said JOIN lifecycle_event AS owner ON owner.id = said.owner
    CROSS JOIN LATERAL (
        SELECT unnest(owner.{subjects}) AS key
        UNION ALL
        SELECT k::text::{kind} FROM generate_series(
            lower(owner.subjects_range), upper(owner.subjects_range) - 1) AS k) AS subject
    GROUP BY 1
)
UPDATE purge_returned AS found SET spared = coalesce(keyed.spared, found.spared),
    ended = greatest(keyed.ended, found.ended, (SELECT max(id) FROM lifecycle_event
        WHERE kind = 'truncated' AND lifecycle_event.model = %(model)s)), written = coalesce(keyed.written, found.written)
FROM keyed WHERE found.run = %(run)s AND found.model = %(model)s AND found.key = keyed.key
