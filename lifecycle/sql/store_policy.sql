-- Store a policy's definition and tell the ledger; a changed one keeps its state. While people have
-- paused every policy that would end rows, a new one begins paused. One that begins anew gets the
-- state of a new one, and what the agenda still lists of its earlier life goes. So do overrides that
-- wait (entries without rows): they were asked for of another declaration, whose ages they are made of.
-- And so do windows, where it goes by rows now: the backfill, which is marked with it, lists those.
WITH known AS MATERIALIZED (
    SELECT fingerprint FROM lifecycle_policy WHERE name = %(name)s
), stored AS (
    INSERT INTO lifecycle_policy (name, model, fingerprint, state, key_kind, due_sql, state_sql,
                                  enforced, spent, declared_at)
    VALUES (%(name)s, %(model)s, %(fingerprint)s,
            CASE WHEN %(state)s::text = 'enabled' AND EXISTS (SELECT FROM lifecycle_policy WHERE state = 'paused')
                AND NOT EXISTS (SELECT FROM lifecycle_policy WHERE state = 'enabled')
                THEN 'paused' ELSE %(state)s END, %(key_kind)s, %(due_sql)s,
            %(state_sql)s, %(enforced)s, '{{}}', lifecycle.now_v1())
    ON CONFLICT (name) DO UPDATE SET model = EXCLUDED.model, fingerprint = EXCLUDED.fingerprint,
        key_kind = EXCLUDED.key_kind, due_sql = EXCLUDED.due_sql, state_sql = EXCLUDED.state_sql,
        enforced = EXCLUDED.enforced,        declared_at = EXCLUDED.declared_at,
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
