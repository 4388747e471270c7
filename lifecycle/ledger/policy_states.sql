-- name: change_state
-- A policy's new state, by its event; rows allowed beyond the cap stand beside what was spent.
-- params: kind, state, allow, policy
SELECT lifecycle.write_v1(%(kind)s, name, model, NULL, 0, NULL, NULL, NULL,
    jsonb_build_object('state', %(state)s::text, 'allow', %(allow)s::bigint), NULL)
FROM lifecycle_policy WHERE name = %(policy)s

-- name: steer
-- A pause, or going on after one: what also the role of a site may do.
-- params: policy, kind, state
SELECT lifecycle.steer_v1(%(policy)s::text, %(kind)s::text, %(state)s::text)

-- name: lock_policies
-- The states of one policy or of all, locked until the transaction ends.
-- params: policy
SELECT name, state FROM lifecycle.lock_policies_v1(%(policy)s::text)
