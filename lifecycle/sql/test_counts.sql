-- What was recorded since an event, in rows, by policy and kind.
SELECT policy, kind, sum(count)::bigint FROM lifecycle_event
WHERE id > %(since)s AND policy <> '' AND kind NOT IN ('settled', 'expiry_scheduled')
GROUP BY policy, kind
