-- Stop a policy; a person resumes it.
SELECT lifecycle.write_v1('halted', name, model, NULL, 0, NULL, NULL, %(run)s::bigint,
    jsonb_build_object('state', 'halted', 'cause', %(cause)s::text), NULL)
FROM lifecycle_policy WHERE name = %(policy)s
