-- name: left
-- Of events, those that an event `pruned` lists, with its number, of before when it says, and when it was written.
-- params: events
SELECT gone, said.id, (extract(epoch FROM (said.detail ->> 'before')::timestamptz) * 1000000)::bigint,
    (extract(epoch FROM said.recorded_at) * 1000000)::bigint
FROM lifecycle_event AS said, unnest(said.subjects_bigint) AS gone
WHERE said.kind = 'pruned' AND gone = ANY (%(events)s::bigint[])
AND (said.detail ->> 'upto')::bigint >= (SELECT min(number) FROM unnest(%(events)s::bigint[]) AS number)
AND (said.detail ->> 'from')::bigint <= (SELECT max(number) FROM unnest(%(events)s::bigint[]) AS number)
