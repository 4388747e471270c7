-- Events as the entries of a log (`lifecycle.proof.leaf` has the form), and of which place their salt is: those of a
-- range of numbers, which have the places of the numbers in it; or those that are given, each in its place. Of each
-- place's salt the two keys of HMAC are given, XORed already, 16 bytes one after the other: what is the same in all is
-- added here. The record is what an entry is made of outside of the database, a JSON list of texts: the fields of a
-- `lifecycle.proof.leaf.Record` in their order, the identities of rows that another event names, then key and identity
-- of each row of its own. What is not asked for is not made. Most events are one row and nothing else; they take no call
-- of a function. The clock is called so that each layer is computed once; that hinders no parallel workers, as OFFSET
-- would.
CREATE FUNCTION lifecycle.entries_v1(
    p_lowest bigint, p_highest bigint, p_events bigint[], p_inner bytea, p_outer bytea
) RETURNS TABLE (place bigint, event bigint, entry bytea, record text)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT one.place, one.id, 'lifecycle.event\001'::bytea || lifecycle.fields_v1(ARRAY[
        one.id::text, one.kind, one.policy, one.model, one.count::text, one.basis::text,
        lifecycle.micros_v1(one.due_at), lifecycle.micros_v1(one.recorded_at), one.run::text,
        CASE WHEN one.fields IS NULL THEN cardinality(one.parts)::text ELSE '1' END,
        encode(CASE WHEN one.fields IS NULL THEN lifecycle.merkle_root_v1(one.parts)
            ELSE sha256('\000lifecycle.part\001'::bytea || sha256(one.outer_key
                || sha256(one.inner_key || 'lifecycle.part\001'::bytea || one.fields)) || one.fields) END, 'hex')]),
        array_to_json(ARRAY[
            one.id::text, one.kind, one.policy, one.model, one.count::text, one.basis::text,
            lifecycle.micros_v1(one.due_at), lifecycle.micros_v1(one.recorded_at), one.run::text, one.cause, one.actor,
            one.settled::text, one.detail::text,
            CASE WHEN one.basis IS NOT NULL THEN encode(one.identities, 'hex') END
        ] || CASE WHEN one.key IS NULL THEN lifecycle.rows_v1(one.id)
            ELSE ARRAY[one.key, encode(substr(one.identities, 1, 8), 'hex')] END)::text
    FROM (
        SELECT simple.*, clock_timestamp(), CASE WHEN simple.fields IS NULL THEN
            lifecycle.parts_v1(simple.id, simple.inner_key, simple.outer_key) END AS parts
        FROM (
            SELECT known.*, clock_timestamp(),
                substr(p_inner, (16 * known.place + 1)::int, 16) || decode(repeat('36', 48), 'hex') AS inner_key,
                substr(p_outer, (16 * known.place + 1)::int, 16) || decode(repeat('5c', 48), 'hex') AS outer_key,
                CASE WHEN known.cause = '' AND known.actor = '' AND known.settled IS NULL AND known.detail = '{}'
                    AND known.key IS NOT NULL
                    THEN lifecycle.fields_v1(ARRAY['subject', known.model, known.key,
                        encode(substr(known.identities, 1, 8), 'hex')]) END AS fields
            FROM (
                SELECT event.*, lifecycle.only_key_v1(event) AS key, event.id - p_lowest AS place
                FROM @tables@.lifecycle_event AS event
                WHERE p_events IS NULL AND event.id BETWEEN p_lowest AND p_highest
                UNION ALL
                SELECT event.*, lifecycle.only_key_v1(event), wanted.place - 1
                FROM unnest(p_events) WITH ORDINALITY AS wanted (id, place)
                JOIN @tables@.lifecycle_event AS event ON event.id = wanted.id
                WHERE p_events IS NOT NULL AND event.id BETWEEN p_lowest AND p_highest
            ) AS known
        ) AS simple
    ) AS one
$$
