-- name: next_rows
-- The next rows of a plan that is being applied, which no other worker has: their part, its first that is not done with, keys, versions and
-- holds, epoch, since and what was running, and whether the part is what it was when the plan was made. Of a dry run after a place.
-- params: plan, rows, dry, part, done, wanted; parts: digest
SELECT part.id, place.done, part.keys[place.done + 1 : place.done + %(rows)s],
    part.versions[place.done + 1 : place.done + %(rows)s], part.holds, part.epoch, part.since, part.running,
    {digest} = (%(wanted)s::text[])[part.number + 1], part.number
FROM purge_plan_part AS part JOIN purge_plan AS plan ON plan.id = part.plan_id
CROSS JOIN LATERAL (SELECT CASE WHEN NOT %(dry)s THEN part.done
    WHEN part.number = %(part)s THEN %(done)s::int ELSE 0 END AS done) AS place
WHERE plan_id = %(plan)s AND (%(dry)s OR plan.state = 'applying') AND place.done < cardinality(part.keys) AND (NOT %(dry)s OR part.number >= %(part)s)
ORDER BY part.number LIMIT 1 FOR UPDATE OF part SKIP LOCKED

-- name: digest
-- The hash of all that a part says of its rows.
encode(sha256(convert_to(concat_ws(E'\n', part.number, to_jsonb(part.keys), to_jsonb(part.versions), part.holds, part.epoch,
    part.since, to_jsonb(part.running)), 'UTF8')), 'hex')

-- name: digests
-- The hashes of the parts of a plan, in their order.
-- params: plan; parts: digest
SELECT coalesce(array_agg({digest} ORDER BY part.number), ARRAY[]::text[])
FROM purge_plan_part AS part WHERE part.plan_id = %(plan)s

-- name: done_with
-- So many rows of a part are done with; those that were left out, by reason.
-- params: part, done, left
UPDATE purge_plan_part AS part SET done = %(done)s, "left" = coalesce((
    SELECT jsonb_object_agg(name, coalesce(part.left -> name, '[]') || coalesce(%(left)s::jsonb -> name, '[]'))
    FROM (SELECT jsonb_object_keys(part.left) UNION SELECT jsonb_object_keys(%(left)s::jsonb)) AS reason (name)), '{{}}')
WHERE id = %(part)s

-- name: in_order
-- Keys as the ledger has them, in its order, as an array's text.
-- params: keys; parts: kind
SELECT array_agg(key ORDER BY key)::text FROM unnest(%(keys)s::text[]::{kind}[]) AS key

-- name: listed
-- Keys that are written out, one by one.
-- params: keys; parts: kind
SELECT unnest(%(keys)s::{kind}[])::text
