-- 10. No field value is in the ledger: what an event says beside keys, times and counts has one of
-- these shapes. Cause and actor, reason and reference are what people wrote; names of media and
-- of tables are names. Of a table whose keys are secrets it has no key.
WITH shapes (name, kinds, shape) AS (
    VALUES ('fingerprint', ARRAY['policy_changed'], '"[0-9a-f]{{16}}"'),
        ('previously', ARRAY['policy_changed'], '"[a-z0-9-]{{1,40}}"'),
        ('state', ARRAY['policy_changed', 'resumed', 'halted'], '"(enabled|observe|paused|halted|removed)"'),
        ('anew', ARRAY['policy_changed'], '"(declared|key|model)"'),
        ('formerly', ARRAY['policy_changed'], '"\w+\.\w+"'),
        ('enforced', ARRAY['policy_changed'], 'true'),
        ('allow', ARRAY['policy_changed', 'resumed'], '\d{{1,18}}'),
        ('again', ARRAY['expiry_scheduled', 'capture_failed', 'restored', 'loaded'], 'true'),
        ('late', ARRAY['expiry_scheduled'], 'true'),
        ('latest', ARRAY['expiry_scheduled'], '"[-0-9T:.+]{{10,40}}"'),
        ('dropped', ARRAY['expiry_scheduled'], 'true'),
        ('gathered', ARRAY['settled'], '\[\d{{1,18}}(, \d{{1,18}})*\]'),
        ('relisted', ARRAY['expiry_scheduled'], '"[a-z_]{{1,20}}"'),
        ('window', ARRAY['expiry_scheduled', 'tombstoned', 'kept', 'blocked'], '"[-0-9T:.+]{{10,40}}"'),
        ('partition', ARRAY['expiry_scheduled', 'kept', 'blocked', 'purged'], '".{{1,255}}"'),
        ('windows', ARRAY['purged', 'archived'], '\["[-0-9T:.+]{{10,40}}"(, "[-0-9T:.+]{{10,40}}")*\]'),
        ('tombstone', ARRAY['expiry_scheduled', 'kept', 'blocked'], '\d{{1,18}}'),
        ('attempts', ARRAY['expiry_scheduled', 'blocked'], '\d{{1,9}}'),
        ('ended_exceptions', ARRAY['purged', 'deleted', 'archived', 'updated'], 'true'),
        ('claimed', ARRAY['expiry_scheduled', 'deleted', 'truncated', 'capture_failed', 'media_orphaned', 'restored',
            'expired_by_hand', 'hold_placed', 'hold_released', 'policy_changed', 'resumed', 'log_begun',
            'log_recovered', 'planned', 'requested', 'exported', 'archive_erased', 'archive_lost'], '".{{1,63}}"'),
        ('held', ARRAY['deleted'], '\[\d{{1,18}}(, \d{{1,18}})*\]'),
        ('transaction', ARRAY['purged', 'deleted', 'archived'], '\d{{10,19}}'),
        ('unproven', ARRAY['deleted'], 'true'),
        ('identity', ARRAY['purged', 'deleted', 'archived', 'updated'], '"(\*(,\w+)*|\w+ [\w .]{{1,63}}(\([\w, ]{{1,40}}\))?[\w .\[\]]{{0,63}}(,\w+ [\w .]{{1,63}}(\([\w, ]{{1,40}}\))?[\w .\[\]]{{0,63}})*)"'),
        ('grace_skipped', ARRAY['archived', 'purged', 'updated', 'expired_by_hand'], 'true'),
        ('grace', ARRAY['expired_by_hand', 'requested'], '\d{{1,12}}(\.\d+)?'),
        ('within', ARRAY['expired_by_hand'], '-?\d{{1,12}}(\.\d+)?'),
        ('older_than', ARRAY['expired_by_hand'], '\d{{1,12}}(\.\d+)?'),
        ('without', ARRAY['expired_by_hand'], '\[("[a-z0-9-]{{1,40}}"(, )?)*\]'),
        ('override', ARRAY['archived', 'purged', 'updated', 'expired_by_hand'], '\d{{1,18}}'),
        ('plan', ARRAY['archived', 'purged', 'updated', 'expired_by_hand', 'hold_placed', 'hold_released', 'restored'],
            '\d{{1,18}}'),
        ('step', ARRAY['planned'], '"(made|approved|applied|done|withdrawn)"'),
        ('step', ARRAY['requested'], '"(opened|asked|extended|withheld|answered|done)"'),
        ('step', ARRAY['archive_erased'], '"(asked|rewritten|gone|done|withdrawn)"'),
        ('step', ARRAY['archive_lost'], '"(declared|lost|found)"'),
        ('lost', ARRAY['archive_erased'], '\[("[\w-]{{1,200}}"(, )?)*\]'),
        ('role', ARRAY['archive_lost'], '".{{1,63}}"'),
        ('request', ARRAY['requested', 'archive_erased', 'archive_lost'], '\d{{1,18}}'),
        ('received', ARRAY['requested'], '"[-0-9T:.+]{{10,40}}"'),
        ('deadline', ARRAY['requested', 'archive_erased'], '"[-0-9T:.+]{{10,40}}"'),
        ('ended', ARRAY['requested'], '"[-0-9T:.+]{{10,40}}"'),
        ('files', ARRAY['exported'], '\d{{1,18}}'),
        ('act', ARRAY['planned'], '"(hold|release|restore|extend|purge)"'),
        ('number', ARRAY['planned'], '\d{{1,18}}'),
        ('hash', ARRAY['planned'], '"[0-9a-f]{{64}}"'),
        ('asked', ARRAY['planned'], '\[("\w{{1,100}}"(, )?)*\]'),
        ('erasure', ARRAY['expiry_scheduled', 'tombstoned', 'kept', 'blocked', 'purged', 'archived', 'updated',
            'media_orphaned', 'archive_erased'], '\d{{1,18}}'),
        ('rows', ARRAY['archived', 'planned', 'exported', 'archive_erased'], '\d{{1,18}}'),
        ('fewer', ARRAY['archive_erased'], '\d{{1,18}}'),
        ('archives', ARRAY['archive_erased'], '\d{{1,18}}'),
        ('replaces', ARRAY['archive_erased'], '"[\w-]{{1,200}}"'),
        ('former', ARRAY['archive_erased'], '"[0-9a-f]{{64}}"'),
        ('found', ARRAY['archive_erased'], 'true'),
        ('columns', ARRAY['archive_erased'], '\[("[^"]{{1,63}}"(, )?)*\]'),
        ('verified', ARRAY['archived'], '"[-0-9T:.+]{{10,40}}"'),
        ('manifest', ARRAY['archived', 'archive_erased'], '"[0-9a-f]{{64}}"'),
        ('snapshot', ARRAY['archived'], '"[0-9]{{1,19}}"'),
        ('archive', ARRAY['archived', 'purged', 'loaded', 'expired_by_hand', 'archive_erased', 'archive_lost'],
            '"[\w-]{{1,200}}"'),
        ('cascade', ARRAY['purged', 'deleted'], '\{{("[^"]{{1,127}}": \d+(, )?)*\}}'),
        ('unlinked', ARRAY['purged', 'deleted'], '\{{("\w+\.\w+": \d+(, )?)*\}}'),
        ('media', ARRAY['purged', 'deleted', 'updated'], '\[.*\]'),
        ('field', ARRAY['media_orphaned', 'media_purged', 'kept', 'blocked'], '"\w+"'),
        ('names', ARRAY['media_orphaned', 'media_purged', 'kept', 'blocked'], '\[(".*")?\]'),
        ('reason', ARRAY['kept'], '"(in use|uploaded again|just written|observed)"'),
        ('code', ARRAY['blocked'], '"[\w ]{{1,80}}"'),
        ('since', ARRAY['kept', 'blocked', 'media_orphaned'], '"[-0-9T:.+]{{10,40}}"'),
        ('sqlstate', ARRAY['capture_failed', 'blocked'], '"[0-9A-Z]{{5}}"'),
        ('error', ARRAY['blocked'], '"[A-Za-z_]{{1,60}}"'),
        ('constraint', ARRAY['blocked'], '".{{1,63}}"'),
        ('table', ARRAY['blocked'], '".{{1,63}}"'),
        ('by', ARRAY['blocked'], '\["\w+\.\w+:[^"]+"(, "\w+\.\w+:[^"]+")*\]'),
        ('holds', ARRAY['hold_released'], '\[\d{{1,18}}(, \d{{1,18}})*\]'),
        ('until', ARRAY['restored', 'hold_placed', 'noticed'], 'null|"[-0-9T:.+]{{10,40}}"'),
        ('mail', ARRAY['noticed'], '\d{{1,2}}'),
        ('of', ARRAY['noticed'], '\d{{1,2}}'),
        ('ends', ARRAY['noticed'], '"[-0-9T:.+]{{10,40}}"'),
        ('waived', ARRAY['noticed'], '"(no address|refused)"'),
        ('over', ARRAY['noticed'], 'true'),
        ('from', ARRAY['pruned'], '\d{{1,18}}'),
        ('upto', ARRAY['pruned'], '\d{{1,18}}'),
        ('before', ARRAY['pruned'], '"[-0-9T:.+]{{10,40}}"'),
        ('log', ARRAY['log_begun', 'log_recovered'], '\d{{1,9}}'),
        ('previous', ARRAY['log_begun', 'log_recovered'], '"[a-z0-9./_-]{{1,200}} \d{{1,18}} [0-9a-f]{{64}}"'),
        ('missing', ARRAY['log_begun', 'log_recovered'], '\d{{1,18}}'),
        ('kept', ARRAY['log_begun', 'log_recovered'], '\d{{1,18}}'),
        ('moved', ARRAY['log_recovered'], '\[\d{{1,18}}, \d{{1,18}}, \d{{1,18}}\]'),
        ('reason', ARRAY['hold_placed', 'requested', 'archive_lost'], '.*'),
        ('reference', ARRAY['hold_placed', 'requested', 'expired_by_hand', 'expiry_scheduled', 'archived', 'tombstoned', 'kept',
            'blocked', 'purged', 'updated', 'archive_erased'], '.*')
)
SELECT event.id, event.kind, 'its detail says ' || string_agg(entry.key, ', ' ORDER BY entry.key)
    || ' in a shape that is not known'
FROM lifecycle_event AS event, jsonb_each(
    CASE jsonb_typeof(event.detail) WHEN 'object' THEN event.detail
    ELSE jsonb_build_object('what is no object', event.detail) END) AS entry
WHERE NOT EXISTS (SELECT FROM shapes WHERE shapes.name = entry.key
    AND event.kind = ANY (shapes.kinds) AND entry.value::text ~ ('^(' || shapes.shape || ')$'))
GROUP BY event.id, event.kind
UNION ALL
SELECT id, kind, 'it names rows of ' || model || ', whose keys are secrets' FROM lifecycle_event
WHERE model = ANY (%(counted)s) AND id > (
    SELECT coalesce(max(declared.id), 0) FROM lifecycle_event AS declared
    WHERE declared.kind = 'policy_changed' AND declared.model = lifecycle_event.model AND declared.detail ? 'fingerprint')
AND (identities IS NOT NULL OR coalesce(
    cardinality(subjects_bigint), cardinality(subjects_uuid), cardinality(subjects_text),
    lower(subjects_range)) IS NOT NULL)
UNION ALL
SELECT id, kind, 'its policy or model is not a name' FROM lifecycle_event
WHERE policy !~ '^[a-z0-9-]*$' OR model !~ '^(\w+\.\w+)?$'
ORDER BY 1, 2
