-- 13. What was purged is gone: no row is there with the identity of one that a `purged` event names nor,
-- where the event has no identity, one that was written before it by the numbers of the transactions;
-- unless the site wrote it again, or it was restored or loaded since, or came back and is held. Run
-- for one set of events after another: a sample of them, or all.
WITH there AS MATERIALIZED (
    SELECT * FROM ({there}) AS found WHERE same OR same IS NULL AND identity IS NULL AND older
), since AS MATERIALIZED (
    SELECT event.id, key FROM lifecycle_event AS event, lifecycle.keys_v1(event.id) AS key
    WHERE event.kind IN ('loaded', 'restored', 'expiry_scheduled', 'capture_failed')
    AND NOT event.detail ? 'relisted' AND event.model = %(model)s
    AND event.id > (SELECT min(event) FROM there)
)
SELECT event, %(model)s || ':' || key, CASE WHEN older
    THEN 'the ledger has purged it, and it was never deleted'
    ELSE 'the ledger has purged it, and it is in its table as it was' END
FROM there
WHERE NOT EXISTS (SELECT FROM since WHERE since.id > there.event AND since.key = there.key)
AND (older OR NOT EXISTS (SELECT FROM lifecycle_exception AS held
    WHERE held.kind = 'hold' AND held.model = %(model)s
    AND (held.key = there.key OR held.key = '' AND held.policy <> '')
    AND (held.until IS NULL OR held.until > lifecycle.now_v1())))
ORDER BY 1, 2
