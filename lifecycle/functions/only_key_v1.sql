-- The key of an event that names just one row of its own, and that in the plainest way; NULL of all others, which
-- `subjects_v1` reads. Written into the statement that asks, it costs no call.
CREATE FUNCTION lifecycle.only_key_v1(event @tables@.lifecycle_event) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN pg_catalog.num_nonnulls(event.subjects_bigint, event.subjects_uuid, event.subjects_text) = 1
        AND event.subjects_range IS NULL AND coalesce(pg_catalog.cardinality(event.subjects_bigint),
            pg_catalog.cardinality(event.subjects_uuid), pg_catalog.cardinality(event.subjects_text)) = 1
        THEN coalesce(CAST(event.subjects_bigint[1] AS text), CAST(event.subjects_uuid[1] AS text), event.subjects_text[1]) END
$$
