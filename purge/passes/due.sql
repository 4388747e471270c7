-- name: due_listed
-- How many rows the due entries of a policy list, at most.
-- params: policy; parts: due_agenda
SELECT coalesce(sum(count), 0)::bigint FROM {due_agenda} AS entry
WHERE policy = %(policy)s AND due_at <= (SELECT lifecycle.now_v1())

-- name: due_policies
-- The policies that are neither stopped nor held, and whether they have something due; of those that
-- have hours also whether there is something to tombstone, which is done at any hour.
-- params: since, timed, media; parts: due_agenda
SELECT name, fingerprint, lifecycle.now_v1(),
    EXISTS (SELECT FROM {due_agenda} AS entry
        WHERE entry.policy = state.name AND due_at <= (SELECT lifecycle.now_v1())
        AND due_at >= %(since)s),
    name = ANY (%(timed)s::text[]) AND EXISTS (SELECT FROM {due_agenda} AS entry
        WHERE entry.policy = state.name AND due_at <= (SELECT lifecycle.now_v1())
        AND due_at >= %(since)s AND tombstone IS NULL)
FROM lifecycle_policy AS state
WHERE state.state = 'enabled'
AND NOT EXISTS (SELECT FROM lifecycle_exception AS hold
    WHERE hold.kind = 'hold' AND hold.model = state.model AND hold.key = '' AND hold.policy <> ''
    AND lifecycle.in_force_v1(hold.until, lifecycle.now_v1()))
UNION ALL
-- Media are of no policy; only a pause of everything stops them.
SELECT %(media)s::text, '', lifecycle.now_v1(), EXISTS (SELECT FROM ONLY lifecycle_agenda
    WHERE policy = %(media)s AND due_at <= (SELECT lifecycle.now_v1()) AND due_at >= %(since)s), false
WHERE NOT lifecycle.all_paused_v1()
ORDER BY name

-- name: beat
-- Whether anything is due, and what else a beat goes by; one row.
-- params: since, media
SELECT version, in_use, clock, acting, due, numbered FROM lifecycle.beat_v1(%(since)s, %(media)s)
