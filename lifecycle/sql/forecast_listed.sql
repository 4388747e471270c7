-- What the agenda lists of a policy, in rows: all, due now; and the holds in force that touch it.
SELECT coalesce(sum(count), 0)::bigint,
    coalesce(sum(count) FILTER (WHERE due_at <= (SELECT lifecycle.now_v1())), 0)::bigint,
    (SELECT count(*) FROM lifecycle_exception AS held WHERE held.kind = 'hold'
        AND (held.policy = %(policy)s OR held.model = %(model)s)
        AND (held.until IS NULL OR held.until > (SELECT lifecycle.now_v1()))),
    lifecycle.now_v1()
FROM lifecycle_agenda WHERE policy = %(policy)s
