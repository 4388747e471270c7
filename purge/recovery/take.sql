-- name: put_back
-- Append events of which all is known, their numbers too, without what they do to the projections. One that is there
-- stays: that it is the same is seen when it is read back. The last microsecond that PostgreSQL knows is told rounded up.
-- params: records
INSERT INTO lifecycle_event (
    id, kind, policy, model, subjects_bigint, subjects_uuid, subjects_text, subjects_range, count, basis, due_at,
    recorded_at, cause, actor, run, detail, settled, identities)
SELECT (record ->> 'id')::bigint, record ->> 'kind', record ->> 'policy', record ->> 'model', (rows.keys).bigints,
    (rows.keys).uuids, (rows.keys).texts, (rows.keys).span, (record ->> 'count')::bigint,
    (record ->> 'basis')::bigint, due.at, recorded.at, record ->> 'cause', record ->> 'actor',
    (record ->> 'run')::bigint, (record ->> 'detail')::jsonb, (record ->> 'settled')::bigint[],
    coalesce(named.identities, decode(record ->> 'identities', 'hex'))
FROM jsonb_array_elements(%(records)s) AS record
CROSS JOIN LATERAL (
    SELECT array_agg(one ->> 0 ORDER BY place) AS keys,
        string_agg(decode(one ->> 1, 'hex'), ''::bytea ORDER BY place) AS identities
    FROM jsonb_array_elements(record -> 'subjects') WITH ORDINALITY AS said (one, place)) AS named
CROSS JOIN LATERAL (SELECT CASE WHEN named.keys IS NOT NULL THEN lifecycle.slice_v1(CASE record ->> 'keys'
    WHEN 'bigint' THEN ROW(named.keys::bigint[], NULL, NULL, NULL)::lifecycle.subjects
    WHEN 'uuid' THEN ROW(NULL, named.keys::uuid[], NULL, NULL)::lifecycle.subjects
    ELSE ROW(NULL, NULL, named.keys, NULL)::lifecycle.subjects END, 1, cardinality(named.keys)) END AS keys) AS rows
CROSS JOIN LATERAL (SELECT CASE WHEN said.at LIKE '%%infinity' THEN said.at::timestamptz
    ELSE (timestamp '1970-01-01 00:00:00' + make_interval(days => div(said.micros, 86400000000)::int)
        + mod(said.micros, 86400000000)::float8 * interval '1 microsecond') AT TIME ZONE 'UTC' END AS at
    FROM (SELECT record ->> 'due_at' AS at, CASE WHEN record ->> 'due_at' NOT LIKE '%%infinity'
        THEN least((record ->> 'due_at')::numeric, 9224318015999999999) END AS micros) AS said) AS due
CROSS JOIN LATERAL (SELECT CASE WHEN said.at LIKE '%%infinity' THEN said.at::timestamptz
    ELSE (timestamp '1970-01-01 00:00:00' + make_interval(days => div(said.micros, 86400000000)::int)
        + mod(said.micros, 86400000000)::float8 * interval '1 microsecond') AT TIME ZONE 'UTC' END AS at
    FROM (SELECT record ->> 'recorded_at' AS at, CASE WHEN record ->> 'recorded_at' NOT LIKE '%%infinity'
        THEN least((record ->> 'recorded_at')::numeric, 9224318015999999999) END AS micros) AS said) AS recorded
ON CONFLICT (id) DO NOTHING

-- name: advance_keys
-- Set a table's sequence past a key, where it has one of its own and numbers are left beyond. The margin is for keys that
-- are given out between reading and setting.
-- params: table, column, highest
SELECT setval(owned, %(highest)s::bigint + 1000)
FROM (SELECT pg_get_serial_sequence(%(table)s, %(column)s)::regclass::oid AS owned
      WHERE to_regclass(%(table)s) IS NOT NULL) AS known
JOIN pg_sequence ON seqrelid = owned AND seqincrement > 0
WHERE %(highest)s > coalesce(pg_sequence_last_value(owned), 0) AND %(highest)s::numeric + 1000 < seqmax
