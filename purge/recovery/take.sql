-- name: put_back
-- Append events of which all is known, their numbers too, without what they do to the projections. One that is there
-- stays: that it is the same is seen when it is read back.
-- params: records
INSERT INTO lifecycle_event (
    id, kind, policy, model, subjects_bigint, subjects_uuid, subjects_text, subjects_range, count, basis, due_at,
    recorded_at, cause, actor, run, detail, settled, identities)
SELECT (record ->> 'id')::bigint, record ->> 'kind', record ->> 'policy', record ->> 'model', (rows.keys).bigints,
    (rows.keys).uuids, (rows.keys).texts, (rows.keys).span, (record ->> 'count')::bigint,
    (record ->> 'basis')::bigint, due.at, recorded.at, record ->> 'cause', record ->> 'actor',
    (record ->> 'run')::bigint, (record ->> 'detail')::jsonb, (record ->> 'settled')::bigint[], named.identities
FROM jsonb_array_elements(%(records)s) AS record
CROSS JOIN LATERAL (
    SELECT array_agg(one ->> 0 ORDER BY place) AS keys,
        string_agg(decode(one ->> 1, 'hex'), ''::bytea ORDER BY place) AS identities
    FROM jsonb_array_elements(record -> 'subjects') WITH ORDINALITY AS said (one, place)) AS named
CROSS JOIN LATERAL (SELECT CASE WHEN named.keys IS NOT NULL THEN lifecycle.slice_v1(CASE record ->> 'keys'
    WHEN 'bigint' THEN ROW(named.keys::bigint[], NULL, NULL, NULL)::lifecycle.subjects
    WHEN 'uuid' THEN ROW(NULL, named.keys::uuid[], NULL, NULL)::lifecycle.subjects
    ELSE ROW(NULL, NULL, named.keys, NULL)::lifecycle.subjects END, 1, cardinality(named.keys)) END AS keys) AS rows
CROSS JOIN LATERAL (SELECT CASE WHEN record ->> 'due_at' LIKE '%%infinity' THEN (record ->> 'due_at')::timestamptz
    ELSE timestamptz '1970-01-01 00:00:00+00' + make_interval(
        hours => ((record ->> 'due_at')::bigint / 3600000000)::int)
        + (record ->> 'due_at')::bigint %% 3600000000 * interval '1 microsecond' END AS at) AS due
CROSS JOIN LATERAL (SELECT timestamptz '1970-01-01 00:00:00+00' + make_interval(
        hours => ((record ->> 'recorded_at')::bigint / 3600000000)::int)
        + (record ->> 'recorded_at')::bigint %% 3600000000 * interval '1 microsecond' AS at) AS recorded
ON CONFLICT (id) DO NOTHING

-- name: advance_keys
-- Set a table's sequence past a key, where it has one of its own. The margin is for keys that are given out between
-- reading and setting.
-- params: table, column, highest
SELECT setval(owned, least(%(highest)s + 1000, seqmax))
FROM (SELECT pg_get_serial_sequence(%(table)s, %(column)s)::regclass::oid AS owned
      WHERE to_regclass(%(table)s) IS NOT NULL) AS known
JOIN pg_sequence ON seqrelid = owned AND seqincrement > 0
WHERE %(highest)s > coalesce(pg_sequence_last_value(owned), 0)
