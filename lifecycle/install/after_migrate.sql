-- name: has_rows
-- Whether a table has any row.
SELECT EXISTS (SELECT FROM {table})

-- name: move_pending
-- Before a policy is stored: what it may settle gets no other entry meanwhile.
-- params: name
SELECT lifecycle.move_pending_v1(%(name)s)

-- name: store_policy
-- Store a policy's definition and tell the ledger; a changed one keeps its state. While people have
-- paused every policy that would end rows, a new one begins paused. One that begins anew gets the
-- state of a new one, and what the agenda still lists of its earlier life goes. So do overrides that
-- wait (entries without rows): they were asked for of another declaration, whose ages they are made of.
-- And so do windows, where it goes by rows now: the backfill, which is marked with it, lists those.
-- params: name, model, fingerprint, state, key_kind, due_sql, state_sql, enforced, is_new, anew,
--     windowed, partitioned
WITH known AS MATERIALIZED (
    SELECT fingerprint FROM lifecycle_policy WHERE name = %(name)s
), stored AS (
    INSERT INTO lifecycle_policy (name, model, fingerprint, state, key_kind, due_sql, state_sql,
                                  enforced, spent, declared_at, partitioned)
    VALUES (%(name)s, %(model)s, %(fingerprint)s,
            CASE WHEN %(state)s::text = 'enabled' AND lifecycle.all_paused_v1()
                THEN 'paused' ELSE %(state)s END, %(key_kind)s, %(due_sql)s,
            %(state_sql)s, %(enforced)s, '{{}}', lifecycle.now_v1(), %(partitioned)s::jsonb)
    ON CONFLICT (name) DO UPDATE SET model = EXCLUDED.model, fingerprint = EXCLUDED.fingerprint,
        key_kind = EXCLUDED.key_kind, due_sql = EXCLUDED.due_sql, state_sql = EXCLUDED.state_sql,
        enforced = EXCLUDED.enforced, partitioned = EXCLUDED.partitioned, declared_at = EXCLUDED.declared_at,
        state = CASE WHEN %(is_new)s THEN EXCLUDED.state ELSE lifecycle_policy.state END
    RETURNING name, model, fingerprint, state, enforced
)
SELECT lifecycle.write_v1('policy_changed', name, model, NULL, 0, NULL, NULL, NULL,
    jsonb_build_object('fingerprint', fingerprint)
        || CASE WHEN enforced THEN '{{"enforced": true}}'::jsonb ELSE '{{}}' END
        || CASE WHEN %(is_new)s THEN jsonb_build_object('state', state) ELSE '{{}}' END
        || CASE WHEN %(anew)s <> '' THEN jsonb_build_object('anew', %(anew)s::text) ELSE '{{}}' END,
    (SELECT array_agg(event_id) FROM lifecycle_agenda WHERE policy = name AND (%(anew)s <> ''
        OR (count = 0 OR window_at IS NOT NULL AND NOT %(windowed)s) AND EXISTS (SELECT FROM known WHERE known.fingerprint <> stored.fingerprint))))
FROM stored

-- name: rename_policy
-- A policy takes over what its predecessor has ended in these 24 hours, and its state, which is
-- returned: but no pause and no halt of its own is undone, and one that was removed has none to give.
-- No row where there is no predecessor.
-- params: old, new
WITH was AS MATERIALIZED (
    SELECT * FROM lifecycle_policy WHERE name = %(old)s
), own AS MATERIALIZED (
    SELECT * FROM lifecycle_policy WHERE name = %(new)s
), renamed AS (
    UPDATE lifecycle_policy SET name = %(new)s WHERE name = %(old)s AND NOT EXISTS (SELECT FROM own)
), removed AS (
    DELETE FROM lifecycle_policy WHERE name = %(old)s AND EXISTS (SELECT FROM own)
), counted AS (
    UPDATE lifecycle_policy SET spent = (
        SELECT coalesce(jsonb_object_agg(key, rows), '{{}}') FROM (
            SELECT key, sum(value::bigint) AS rows FROM (
                SELECT * FROM was, jsonb_each_text(was.spent)
                UNION ALL SELECT * FROM own, jsonb_each_text(own.spent)) AS both_of_them
            GROUP BY key) AS hours)
    WHERE name = %(new)s AND EXISTS (SELECT FROM was)
), forgotten AS (
    DELETE FROM lifecycle_backfill WHERE policy = %(old)s
)
SELECT CASE WHEN own.state IN ('paused', 'halted') OR was.state = 'removed'
            THEN coalesce(own.state, was.state) ELSE was.state END
FROM was LEFT JOIN own ON true

-- name: renamed
-- Tell the ledger of a policy's earlier name; its fold moves agenda and exceptions.
-- params: new, model, old, state
SELECT lifecycle.write_v1('policy_changed', %(new)s, %(model)s, NULL, 0, NULL, NULL, NULL,
    jsonb_build_object('previously', %(old)s::text, 'state', %(state)s::text), NULL)
