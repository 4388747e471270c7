-- name: page
-- The next rows of a group: their numbers, how many, their keys as one array, the last number.
-- params: run, model, names, updates, kind, policy, after, only, limit
SELECT array_agg(id), count(*), array_agg(key)::text, max(id) FROM (
    SELECT id, key::{kind} AS key FROM purge_resurrected
    WHERE run = %(run)s AND model = %(model)s AND names = %(names)s AND updates = %(updates)s
    AND kind = %(kind)s AND policy = %(policy)s AND id > %(after)s
    AND (%(only)s::bigint[] IS NULL OR id = ANY (%(only)s::bigint[])) ORDER BY id LIMIT %(limit)s
) AS page

-- name: evaluate_rows
-- A verdict on each row of a page, locked or not, by everything committed now. Run with nested loops
-- off: PostgreSQL takes these sets for small, and with ten thousand rows each it took minutes. Aliases
-- begin with lc_, for a column of the site's table may have any other name.
-- params: ids, mark, model, now, undeclared, updates, on_request, has_expiry, untold, stopped, those of
-- rows; parts: subjects, identity, told, rows, state_rows
WITH lc_found AS MATERIALIZED (
    SELECT lc_one.id, lc_one.key::{kind} AS key, lc_one.event, lc_one.same, lc_one.proven, lc_one.identity,
        greatest(lc_one.spared, lc_late.spared) AS spared, greatest(lc_one.written, lc_late.written) AS written,
        greatest(lc_one.ended, lc_late.ended) AS ended, lc_one.recorded_at
    FROM purge_resurrected AS lc_one
    LEFT JOIN (
        SELECT lc_key, max(lc_event.id) FILTER (WHERE kind IN ('loaded', 'restored')) AS spared,
            max(lc_event.id) FILTER (WHERE kind IN ('deleted', 'purged')) AS ended,
            max(lc_event.id) FILTER (WHERE kind IN ('expiry_scheduled', 'capture_failed')) AS written
        FROM lifecycle_event AS lc_event, lifecycle.keys_v1(lc_event.id) AS lc_key
        WHERE model = %(model)s AND lc_event.id > %(mark)s AND NOT detail ? 'relisted' GROUP BY 1
    ) AS lc_late ON lc_late.lc_key = lc_one.key
    WHERE lc_one.id = ANY (%(ids)s)
), lc_here AS MATERIALIZED (
    SELECT {own_key} AS key, {identity} AS identity, {told} AS told FROM {table} WHERE {rows}
), lc_state AS MATERIALIZED (
    SELECT {state_key} AS key, lc_s.matches, lc_s.keep, lifecycle.finite_v1(lc_s.due::timestamptz) AS due
    FROM ({state_sql}) AS lc_s WHERE {state_rows}
), lc_held AS MATERIALIZED (
    SELECT key FROM lifecycle.exceptions_v1('', %(model)s, (SELECT {subjects} FROM lc_found))
    WHERE lifecycle.in_force_v1(until, %(now)s)
    UNION ALL SELECT NULL FROM lifecycle_exception  -- the whole table
    WHERE kind = 'hold' AND model = %(model)s AND key = '' AND policy <> ''
    AND lifecycle.in_force_v1(until, %(now)s)
), lc_known AS (
    SELECT lc_found.*, lc_here.key IS NOT NULL AS here, lc_here.told, lc_state.matches, lc_state.due,
        coalesce(lc_here.identity IS DISTINCT FROM lc_found.identity, false) AS replaced,
        EXISTS (SELECT FROM lc_held WHERE coalesce(lc_held.key = lc_found.key::text, true)) AS held,
        coalesce(lc_state.matches AND NOT lc_state.keep AND lc_state.due <= lc_found.recorded_at, false) AS expired
    FROM lc_found LEFT JOIN lc_here ON lc_here.key = lc_found.key
    LEFT JOIN lc_state ON lc_state.key = lc_found.key
)
SELECT lc_known.id, lc_known.key, lc_known.event, lc_last.verdict[1], lc_last.verdict[2]
FROM lc_known CROSS JOIN LATERAL (SELECT CASE
    WHEN NOT here AND EXISTS (SELECT FROM {table} WHERE {column} = lc_known.key::{type})
        THEN ARRAY['locked', 'somebody else has locked it']
    WHEN NOT here THEN ARRAY['gone', '']
    WHEN spared > event THEN ARRAY['newer', 'back on purpose: event ' || spared]
    WHEN same AND replaced THEN ARRAY['unsure', 'it was replaced meanwhile']
    WHEN NOT same THEN ARRAY['newer', 'another row under an old key']
    WHEN %(undeclared)s THEN ARRAY['unsure', 'its policy is not declared']
    WHEN %(updates)s AND expired THEN NULL
    WHEN %(updates)s AND written > event AND coalesce(ended > event, false)
        THEN ARRAY['unsure', 'it was written again after it had gone']
    WHEN %(updates)s AND written > event THEN ARRAY['newer', 'changed since by the site']
    WHEN %(updates)s AND (matches AND (due IS NOT NULL OR %(on_request)s)) IS NOT TRUE
        THEN ARRAY['unsure', 'its policy does not match it now']
    WHEN same AND written > event AND NOT expired
        THEN ARRAY['unsure', 'it was written again after it had gone']
    WHEN same AND NOT told AND NOT proven THEN ARRAY['unsure', 'the site deleted it, and may have written it again: it has no end']
    WHEN same THEN NULL
    WHEN written > event THEN ARRAY['unsure', %(untold)s || ': nothing tells it from a newer row']
    WHEN %(has_expiry)s AND expired THEN NULL
    ELSE ARRAY['unsure', %(untold)s || ', and it had not expired when it ended or is kept'] END AS verdict
) AS lc_first CROSS JOIN LATERAL (SELECT CASE
    WHEN lc_first.verdict IS NOT NULL THEN lc_first.verdict
    WHEN held THEN ARRAY['held', '']
    WHEN %(stopped)s <> '' THEN ARRAY['blocked', %(stopped)s]
    ELSE ARRAY['ended', ''] END AS verdict
) AS lc_last
ORDER BY lc_known.key
