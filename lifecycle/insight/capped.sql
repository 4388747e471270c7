-- name: capped
-- As `status`, for a page that is asked for often: of each policy only the first entries of its agenda are read, by an
-- index; kept rows and captures that failed are not counted. Beside it: whether all was read of what is due, is to come,
-- holds, is blocked; and the rows that end within a day, a week, thirty days, with the time up to which that is whole.
-- params: names, graces (of the policies with one grace for all rows), most; parts: due_agenda, is_tried, first_try
WITH clock AS MATERIALIZED (SELECT lifecycle.now_v1() AS now), given AS MATERIALIZED (
    SELECT * FROM unnest(%(names)s::text[], %(graces)s::interval[]) AS given (name, grace)
), pending AS MATERIALIZED (  -- read once, not for each policy
    SELECT policy, array_agg(due_at ORDER BY due_at) AS dues FROM lifecycle_pending GROUP BY policy
)
SELECT state.name, state.model, state.state, coming.scheduled, past.due, past.tombstoned + coming.tombstoned, 0,
    held.rows, stuck.blocked, 0, date_trunc('second', least(past.first, coming.first)),
    least(past.untried_since, stuck.since), now, state.fingerprint,
    EXISTS (SELECT FROM lifecycle_exception AS held WHERE held.kind = 'hold' AND held.model = state.model
        AND held.key = '' AND held.policy <> '' AND lifecycle.in_force_v1(held.until, now)), state.enforced, state.state_sql,
    past.entries = %(most)s, coming.entries = %(most)s, stuck.entries = %(most)s,
    past.ending + coming.day, past.ending + coming.week, past.ending + coming.month, coming.upto
FROM clock CROSS JOIN lifecycle_policy AS state LEFT JOIN given ON given.name = state.name
LEFT JOIN pending ON pending.policy = state.name
CROSS JOIN LATERAL (
    SELECT count(*) AS entries, coalesce(sum(count), 0)::bigint AS due, min(due_at) AS first,
        coalesce(sum(count) FILTER (WHERE tombstone IS NOT NULL), 0)::bigint AS tombstoned,
        coalesce(sum(count) FILTER (WHERE tombstone IS NOT NULL OR coalesce(given.grace, '0') < interval '1 day'), 0)::bigint AS ending,
        min(due_at) FILTER (WHERE attempts = 0) AS untried_since
    FROM (SELECT entry.due_at, entry.count, entry.tombstone, entry.attempts FROM {due_agenda} AS entry
          WHERE entry.policy = state.name AND entry.due_at <= now ORDER BY entry.due_at LIMIT %(most)s) AS read
) AS past
CROSS JOIN LATERAL (
    SELECT count(*) AS entries, min(due_at) AS first, max(due_at) AS upto,
        coalesce(sum(count) FILTER (WHERE tombstone IS NULL), 0)::bigint AS scheduled,
        coalesce(sum(count) FILTER (WHERE tombstone IS NOT NULL), 0)::bigint AS tombstoned,
        coalesce(sum(count) FILTER (WHERE ends <= now + interval '1 day'), 0)::bigint AS day,
        coalesce(sum(count) FILTER (WHERE ends <= now + interval '7 days'), 0)::bigint AS week,
        coalesce(sum(count) FILTER (WHERE ends <= now + interval '30 days'), 0)::bigint AS month
    FROM (SELECT entry.due_at, entry.count, entry.tombstone,
              entry.due_at + CASE WHEN entry.tombstone IS NULL THEN coalesce(given.grace, '0') ELSE '0' END AS ends
          FROM ((
              SELECT listed.due_at, listed.count, listed.tombstone FROM ONLY lifecycle_agenda AS listed
              WHERE listed.policy = state.name AND listed.due_at > now ORDER BY listed.due_at LIMIT %(most)s
          ) UNION ALL SELECT due, 1, NULL FROM unnest(pending.dues) AS due WHERE due > now) AS entry
          ORDER BY entry.due_at LIMIT %(most)s) AS read
) AS coming
CROSS JOIN LATERAL (
    SELECT count(*) AS entries, coalesce(sum(entry.count) FILTER (WHERE event.kind = 'blocked'), 0)::bigint AS blocked,
        min(CASE WHEN {is_tried} THEN {first_try} ELSE entry.due_at END)
            FILTER (WHERE entry.due_at <= now OR {is_tried}) AS since
    FROM (SELECT tried.event_id, tried.due_at, tried.count, tried.attempts FROM ONLY lifecycle_agenda AS tried
          WHERE tried.policy = state.name AND tried.attempts > 0 LIMIT %(most)s) AS entry
    JOIN lifecycle_event AS event ON event.id = entry.event_id
) AS stuck
CROSS JOIN LATERAL (
    SELECT count(*) AS rows FROM (
        SELECT FROM lifecycle_exception AS held WHERE held.kind = 'hold' AND held.model = state.model
        AND lifecycle.in_force_v1(held.until, now)
        ORDER BY held.model, held.kind, held.key LIMIT %(most)s) AS few
) AS held
ORDER BY 1
