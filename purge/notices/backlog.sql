-- name: waiting
-- By policy: mails that have not gone, since when, the attempts at the most stubborn of them, and the kind of its last error.
-- params: policies
SELECT policy, count(*), min(made_at), max(attempts), max(error) FROM purge_notice
WHERE policy = ANY (%(policies)s) GROUP BY policy ORDER BY policy

-- name: stuck
-- By policy: rows past their end that were looked at so often in vain, where it may act and no mail of it went for a day; of
-- the mails of that day, how many were waived, and how many they are.
-- params: policies, tried
WITH mails AS (
    SELECT policy, count(*) FILTER (WHERE detail ? 'waived') AS waived, count(*) AS mails
    FROM lifecycle_event WHERE kind = 'noticed' AND recorded_at > (SELECT lifecycle.now_v1()) - interval '1 day' AND detail ? 'mail'
    AND policy = ANY (%(policies)s) GROUP BY policy
), late AS (
    SELECT entry.policy, sum(entry.count)::bigint AS rows FROM ONLY lifecycle_agenda AS entry
    JOIN lifecycle_event AS said ON said.id = entry.event_id
    JOIN lifecycle_policy AS known ON known.name = entry.policy AND known.state = 'enabled'
    WHERE entry.policy = ANY (%(policies)s) AND entry.attempts >= %(tried)s AND said.detail ->> 'relisted' = 'notice'
    AND NOT EXISTS (SELECT FROM mails WHERE mails.policy = entry.policy) GROUP BY entry.policy
)
SELECT policy, coalesce(rows, 0), coalesce(waived, 0), coalesce(mails, 0)
FROM mails FULL JOIN late USING (policy) ORDER BY policy

-- name: lately
-- Mails of the last day: how many went, how many were waived; and rows past their end that wait for theirs: those of
-- entries that were listed again for it.
SELECT count(*) FILTER (WHERE NOT detail ? 'waived'), count(*) FILTER (WHERE detail ? 'waived'), (
    SELECT coalesce(sum(entry.count), 0)::bigint FROM ONLY lifecycle_agenda AS entry
    JOIN lifecycle_event AS said ON said.id = entry.event_id
    WHERE entry.attempts > 0 AND said.detail ->> 'relisted' = 'notice')
FROM lifecycle_event WHERE kind = 'noticed' AND recorded_at > (SELECT lifecycle.now_v1()) - interval '1 day' AND detail ? 'mail'
