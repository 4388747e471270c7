-- Events of a range of numbers, of all of them or of those given, as the entries of a log (`lifecycle.proof.leaf` has
-- the form). Of each number's salt the two keys of HMAC are given, XORed already, 16 bytes for each number of the
-- range: what is the same in all is added here. Most events are one row and nothing else; they take no call of a
-- function. The clock is called so that each layer is computed once; that hinders no parallel workers, as OFFSET would.
CREATE FUNCTION lifecycle.entries_v1(
    p_lowest bigint, p_highest bigint, p_events bigint[], p_inner bytea, p_outer bytea
) RETURNS TABLE (event bigint, entry bytea)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT one.id, 'lifecycle.event\001'::bytea || lifecycle.fields_v1(ARRAY[
        one.id::text, one.kind, one.policy, one.model, one.count::text, one.basis::text,
        lifecycle.micros_v1(one.due_at), lifecycle.micros_v1(one.recorded_at), one.run::text,
        CASE WHEN one.fields IS NULL THEN cardinality(one.parts)::text ELSE '1' END,
        encode(CASE WHEN one.fields IS NULL THEN lifecycle.merkle_root_v1(one.parts)
            ELSE sha256('\000lifecycle.part\001'::bytea || sha256(one.outer_key
                || sha256(one.inner_key || 'lifecycle.part\001'::bytea || one.fields)) || one.fields) END, 'hex')])
    FROM (
        SELECT simple.*, clock_timestamp(), CASE WHEN simple.fields IS NULL THEN
            lifecycle.parts_v1(simple.id, simple.inner_key, simple.outer_key) END AS parts
        FROM (
            SELECT clock_timestamp(), event.id, event.kind, event.policy, event.model, event.count, event.basis,
                event.due_at, event.recorded_at, event.run,
                substr(p_inner, (16 * (event.id - p_lowest) + 1)::int, 16) || decode(repeat('36', 48), 'hex') AS inner_key,
                substr(p_outer, (16 * (event.id - p_lowest) + 1)::int, 16) || decode(repeat('5c', 48), 'hex') AS outer_key,
                CASE WHEN event.cause = '' AND event.actor = '' AND event.settled IS NULL AND event.detail = '{}'
                    AND num_nonnulls(event.subjects_bigint, event.subjects_uuid, event.subjects_text) = 1
                    AND event.subjects_range IS NULL AND coalesce(cardinality(event.subjects_bigint),
                        cardinality(event.subjects_uuid), cardinality(event.subjects_text)) = 1
                    AND num_nonnulls(event.subjects_bigint[1], event.subjects_uuid[1], event.subjects_text[1]) = 1
                    THEN lifecycle.fields_v1(ARRAY['subject', event.model, coalesce(
                        event.subjects_bigint[1]::text, event.subjects_uuid[1]::text, event.subjects_text[1]),
                        encode(substr(event.identities, 1, 8), 'hex')]) END AS fields
            FROM @tables@.lifecycle_event AS event
            WHERE event.id BETWEEN p_lowest AND p_highest AND (p_events IS NULL OR event.id = ANY (p_events))
        ) AS simple
    ) AS one
$$
