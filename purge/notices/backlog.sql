-- name: waiting
-- By policy: mails that have not gone, since when, the attempts at the most stubborn of them, and the kind of its last error.
-- params: policies
SELECT policy, count(*), min(made_at), max(attempts), max(error) FROM purge_notice
WHERE policy = ANY (%(policies)s) GROUP BY policy ORDER BY policy

-- name: lately
-- Mails of the last day: how many went, how many were waived; and rows past their end that wait for theirs: those of
-- entries that were listed again for it.
SELECT count(*) FILTER (WHERE NOT detail ? 'waived'), count(*) FILTER (WHERE detail ? 'waived'), (
    SELECT coalesce(sum(entry.count), 0)::bigint FROM lifecycle_agenda AS entry
    JOIN lifecycle_event AS said ON said.id = entry.event_id
    WHERE entry.attempts > 0 AND said.detail ->> 'relisted' = 'notice')
FROM lifecycle_event WHERE kind = 'noticed' AND recorded_at > lifecycle.now_v1() - interval '1 day' AND detail ? 'mail'
