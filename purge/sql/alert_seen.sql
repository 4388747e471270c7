-- A trouble is there: true when it was not before. While the mail server is away, new ones wait too.
INSERT INTO purge_alert (kind, policy, model, cause, event, count, said, run, opened_at, seen_at, tries,
                         again_at)
SELECT %(kind)s, %(policy)s, %(model)s, left(%(cause)s, 200), %(event)s, %(count)s, %(said)s,
    %(run)s::bigint, now, coalesce(%(seen)s, now), 0,
    coalesce((SELECT max(again_at) FROM purge_alert WHERE told_at IS NULL AND tries > 0), now)
FROM lifecycle.now_v1() AS now
ON CONFLICT (kind, policy, model, cause) WHERE ended_at IS NULL
DO UPDATE SET seen_at = EXCLUDED.seen_at, event = EXCLUDED.event, count = EXCLUDED.count, said = EXCLUDED.said
RETURNING xmax = 0
