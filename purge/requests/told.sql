-- name: fold
-- What the events of requests for erasure add up to, all of them or some by their numbers: one line each. Of several for
-- the same row under the same reference, which only a recovery can bring together, the last one. Raises what the words of
-- one raise that are none, which only a superuser can have written.
-- params: numbers
WITH numbered AS MATERIALIZED (
    SELECT id FROM lifecycle_event WHERE kind = 'requested' AND %(numbers)s::bigint[] IS NULL
    UNION SELECT unnest(%(numbers)s::bigint[])
    UNION SELECT id FROM lifecycle_event WHERE kind = 'requested' AND detail ? 'request'
        AND detail ->> 'request' = ANY (%(numbers)s::bigint[]::text[])
), said AS MATERIALIZED (
    SELECT event.id, event.recorded_at, event.actor, event.detail, event.detail ->> 'step' AS step,
        named.request
    FROM numbered CROSS JOIN LATERAL (  -- probed: others are as many as there have ever been
        SELECT * FROM lifecycle_event WHERE lifecycle_event.id = numbered.id OFFSET 0
    ) AS event CROSS JOIN LATERAL (
        SELECT CASE WHEN event.detail ->> 'request' ~ '^\d{{1,18}}$' THEN (event.detail ->> 'request')::bigint ELSE event.id END AS request
    ) AS named WHERE event.kind = 'requested' AND (%(numbers)s::bigint[] IS NULL OR named.request = ANY (%(numbers)s::bigint[]))
), counted AS (
    SELECT request, max(id) FILTER (WHERE step IN ('opened', 'asked')) AS asked,
        max(id) FILTER (WHERE step = 'withheld') AS withheld, min(id) FILTER (WHERE step = 'extended') AS extended,
        min(id) FILTER (WHERE step IN ('answered', 'done')) AS closed
    FROM said GROUP BY request
)
SELECT DISTINCT ON (opened.detail ->> 'reference', opened.model, key) opened.id, opened.detail ->> 'reference' AS reference,
    opened.model, key, opened.policy, make_interval(secs => (opened.detail ->> 'grace')::float) AS "grace", opened.actor,
    (opened.detail ->> 'received')::timestamptz AS received_at,
    coalesce(extended.detail ->> 'deadline', opened.detail ->> 'deadline')::timestamptz AS due_at,
    extended.recorded_at AS extended_at, coalesce(extended.detail ->> 'reason', '') AS extension,
    coalesce((closed.detail ->> 'ended')::timestamptz, closed.recorded_at) AS done_at,
    coalesce(closed.detail ->> 'reason', '') AS answer,
    counted.asked, asked.actor AS asker, coalesce(counted.withheld > counted.asked, false) AS withheld
FROM counted JOIN lifecycle_event AS opened ON opened.id = counted.request AND opened.kind = 'requested'
JOIN said AS asked ON asked.id = counted.asked
LEFT JOIN said AS extended ON extended.id = counted.extended
LEFT JOIN said AS closed ON closed.id = counted.closed
CROSS JOIN LATERAL lifecycle.keys_v1(opened.id) AS key
WHERE opened.detail ->> 'step' = 'opened'
ORDER BY opened.detail ->> 'reference', opened.model, key, opened.id DESC

-- name: numbers
SELECT id, model FROM lifecycle_event WHERE kind = 'requested' AND detail ->> 'step' = 'opened' ORDER BY id

-- name: told
-- params: numbers; parts: fold
SELECT id, asked, asker, withheld FROM ({fold}) AS told

-- name: read
-- All that the events say, for whether it can be read.
-- params: numbers; parts: fold
SELECT count(*) FROM ({fold}) AS told WHERE told IS NOT NULL OR told IS NULL

-- name: forget
-- Rows of which no event tells, and those that stand for another row than theirs: in the way of its own.
-- params: numbers; parts: fold
DELETE FROM purge_request AS there WHERE NOT EXISTS (SELECT FROM ({fold}) AS told
    WHERE (told.id, told.reference, told.model, told.key) = (there.id, there.reference, there.model, there.key))

-- name: put
-- The rows as the events have them. What the worker has noted of its tries stays, of those that are open.
-- params: numbers, restored; parts: fold
INSERT INTO purge_request AS there (id, event, reference, model, key, policy, "grace", actor, received_at, due_at,
    extended_at, extension, done_at, answer, waits_for, tries)
SELECT id, id, reference, model, key, policy, "grace", actor, received_at, due_at, extended_at, extension, done_at, answer,
    CASE WHEN withheld AND done_at IS NULL THEN %(restored)s ELSE '' END, 0
FROM ({fold}) AS told
ON CONFLICT (id) DO UPDATE SET event = EXCLUDED.event, reference = EXCLUDED.reference, model = EXCLUDED.model,
    key = EXCLUDED.key, policy = EXCLUDED.policy, "grace" = EXCLUDED."grace", actor = EXCLUDED.actor,
    received_at = EXCLUDED.received_at, due_at = EXCLUDED.due_at, extended_at = EXCLUDED.extended_at,
    extension = EXCLUDED.extension, done_at = EXCLUDED.done_at, answer = EXCLUDED.answer,
    waits_for = CASE WHEN EXCLUDED.done_at IS NOT NULL OR EXCLUDED.waits_for <> '' OR there.waits_for = %(restored)s
        THEN EXCLUDED.waits_for ELSE there.waits_for END

-- name: strayed
-- What of the rows is not what the events say: the number, the model, what is wrong.
-- params: numbers, restored; parts: fold
SELECT coalesce(told.id, there.id), coalesce(told.model, there.model), CASE WHEN told.id IS NULL
    THEN 'it is a request of which no event tells' WHEN there.id IS NULL THEN 'its request is missing'
    ELSE 'its request is not what the events say' END
FROM ({fold}) AS told FULL JOIN purge_request AS there ON there.id = told.id
WHERE told.id IS NULL OR there.id IS NULL
OR (told.withheld AND told.done_at IS NULL) <> (there.waits_for = %(restored)s)
OR (told.id, told.reference, told.model, told.key, told.policy, told."grace", told.actor, told.received_at, told.due_at,
    told.extended_at, told.extension, told.done_at, told.answer) IS DISTINCT FROM (
    there.event, there.reference, there.model, there.key, there.policy, there."grace", there.actor, there.received_at,
    there.due_at, there.extended_at, there.extension, there.done_at, there.answer)
ORDER BY 1
