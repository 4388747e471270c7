-- name: recovered
-- The event with which the last recovery began.
SELECT max(recovered) FROM lifecycle_log

-- name: again
-- What has ended again since a recovery began, by kind, policy and table: events and rows.
-- params: event
SELECT kind, policy, model, count(*), sum(count)::bigint FROM lifecycle_event
WHERE id > %(event)s AND cause = 'replay' AND kind IN ('purged', 'deleted', 'updated', 'media_orphaned')
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
