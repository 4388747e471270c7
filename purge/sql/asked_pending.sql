-- Overrides of a policy that wait for a worker: agenda entries without rows.
SELECT told.id, told.actor, make_interval(secs => (told.detail ->> 'within')::float),
    told.detail ? 'grace', make_interval(secs => (told.detail ->> 'older_than')::float),
    CASE WHEN told.detail ? 'without'
         THEN ARRAY(SELECT jsonb_array_elements_text(told.detail -> 'without')) END
FROM lifecycle_agenda AS entry JOIN lifecycle_event AS told ON told.id = entry.event_id
WHERE entry.policy = %(policy)s AND entry.count = 0 ORDER BY told.id
