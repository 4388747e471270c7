-- name: with_holds
-- The policies that are held, and the models with holds on rows, in force or not: each name is probed,
-- for one model may have very many.
-- params: policies, models, now
SELECT '', name FROM unnest(%(policies)s::text[]) AS name WHERE EXISTS (
    SELECT FROM lifecycle_exception AS held WHERE held.policy = name AND held.kind = 'hold'
    AND held.key = '' AND lifecycle.in_force_v1(held.until, %(now)s) OFFSET 0)
UNION ALL
SELECT 'key', name FROM unnest(%(models)s::text[]) AS name
WHERE lifecycle.excepted_of_v1(name, '{{hold}}')
