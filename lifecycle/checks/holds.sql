-- name: deleted_beside_holds
-- The models of which something is held now, and of whose latest thousand endings some are the site's own.
SELECT held.model FROM (
    SELECT DISTINCT model FROM lifecycle_exception
    WHERE kind = 'hold' AND lifecycle.in_force_v1(until, lifecycle.now_v1())) AS held
WHERE EXISTS (SELECT FROM (
    SELECT kind FROM lifecycle_event AS event
    WHERE event.model = held.model AND kind IN ('archived', 'deleted', 'purged', 'updated')
    ORDER BY id DESC LIMIT 1000) AS latest WHERE latest.kind = 'deleted')
ORDER BY 1
