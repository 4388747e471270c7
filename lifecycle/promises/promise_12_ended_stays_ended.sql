-- 12. Everything the ledger ended stays ended: no row is in its table with the identity of one that
-- was purged or deleted, unless it was restored or loaded since, or is held. A row that no identity
-- tells is not asked of, nor one that was written again under the triggers: replay judges those.
WITH returned AS MATERIALIZED (
    {returned}
), spared AS MATERIALIZED (
    SELECT event.id, event.model, key FROM lifecycle_event AS event, lifecycle.keys_v1(event.id) AS key
    WHERE event.kind IN ('loaded', 'restored', 'expiry_scheduled', 'capture_failed')
    AND NOT event.detail ? 'relisted' AND event.model IN (SELECT model FROM returned WHERE same)
    AND event.id > (SELECT min(event) FROM returned WHERE same)
)
SELECT max(event), model || ':' || key, 'the ledger has ended it, and it is in its table again'
FROM returned WHERE same
AND NOT EXISTS (SELECT FROM spared WHERE spared.id > returned.event
    AND spared.model = returned.model AND spared.key = returned.key)
AND NOT EXISTS (SELECT FROM lifecycle_exception AS held
    WHERE held.kind = 'hold' AND held.model = returned.model
    AND (held.key = returned.key OR held.key = '' AND held.policy <> '')
    AND (held.until IS NULL OR held.until > lifecycle.now_v1()))
GROUP BY 2 ORDER BY 1, 2
