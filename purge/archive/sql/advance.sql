-- Keys that the sequence would hand out again are left behind, before anybody sees the rows. The
-- margin is for keys handed out between the look and the setting: without it the sequence could be
-- set back behind one of those. A lock would have to wait for every open writer.
SELECT setval(owned, least(highest + 1000, seqmax))
FROM (SELECT pg_get_serial_sequence(%(table)s, %(column)s)::regclass::oid AS owned) AS known
JOIN pg_sequence ON seqrelid = owned AND seqincrement > 0
CROSS JOIN (SELECT max({key})::bigint AS highest FROM pg_temp.purge_loading) AS loading
WHERE highest > coalesce(pg_sequence_last_value(owned), 0)
