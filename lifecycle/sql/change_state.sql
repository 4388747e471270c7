-- A policy's new state, by its event; rows allowed beyond the cap stand beside what was spent.
SELECT lifecycle.write_v1(%(kind)s, name, model, NULL, 0, NULL, NULL, NULL,
    jsonb_build_object('state', %(state)s::text, 'allow', %(allow)s::bigint), NULL)
FROM lifecycle_policy WHERE name = %(policy)s
