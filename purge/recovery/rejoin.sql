-- name: is_owner
-- Whether this role may do with the ledger what its owner may.
SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = 'lifecycle_event'::regclass

-- name: place
-- The ledger's table by its schema and name.
SELECT nspname, relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE pg_class.oid = 'lifecycle_event'::regclass

-- name: move_pending
-- So that only one table's guard is in the way, and what is put back finds an event of its number where it is put.
SELECT lifecycle.move_pending_v1()

-- name: unguard
ALTER TABLE lifecycle_event DISABLE TRIGGER lifecycle_event_guard_rows

-- name: guard
ALTER TABLE lifecycle_event ENABLE TRIGGER lifecycle_event_guard_rows

-- name: move
-- Give events other numbers, and name those by them that other ones of them name. No published event names one.
-- params: events, distance
WITH moved AS MATERIALIZED (SELECT unnest(%(events)s::bigint[]) AS id)
UPDATE lifecycle_event AS event SET id = event.id + %(distance)s,
    basis = event.basis + CASE WHEN event.basis IN (SELECT id FROM moved) THEN %(distance)s ELSE 0 END,
    settled = CASE WHEN event.settled IS NOT NULL THEN ARRAY(
        SELECT one + CASE WHEN one IN (SELECT id FROM moved) THEN %(distance)s ELSE 0 END
        FROM unnest(event.settled) WITH ORDINALITY AS settled (one, place) ORDER BY place) END,
    detail = coalesce((
        SELECT jsonb_object_agg(key, CASE
            WHEN key IN ('tombstone', 'erasure', 'override', 'plan', 'request') AND jsonb_typeof(value) = 'number' THEN to_jsonb(
                value::bigint + CASE WHEN value::bigint IN (SELECT id FROM moved) THEN %(distance)s ELSE 0 END)
            WHEN key IN ('holds', 'held', 'gathered') AND jsonb_typeof(value) = 'array' THEN (
                SELECT jsonb_agg(one::bigint + CASE WHEN one::bigint IN (SELECT id FROM moved)
                    THEN %(distance)s ELSE 0 END ORDER BY place)
                FROM jsonb_array_elements_text(value) WITH ORDINALITY AS said (one, place))
            ELSE value END)
        FROM jsonb_each(event.detail)), event.detail)
WHERE event.id IN (SELECT id FROM moved)

-- name: move_agenda
-- params: events, distance
WITH moved AS MATERIALIZED (SELECT unnest(%(events)s::bigint[]) AS id)
UPDATE lifecycle_agenda AS entry SET
    event_id = entry.event_id + CASE WHEN entry.event_id IN (SELECT id FROM moved) THEN %(distance)s ELSE 0 END,
    tombstone = entry.tombstone + CASE WHEN entry.tombstone IN (SELECT id FROM moved) THEN %(distance)s ELSE 0 END
WHERE entry.event_id IN (SELECT id FROM moved) OR entry.tombstone IN (SELECT id FROM moved)

-- name: move_exceptions
-- params: events, distance
UPDATE lifecycle_exception SET event_id = event_id + %(distance)s
WHERE event_id IN (SELECT unnest(%(events)s::bigint[]))

-- name: move_alerts
-- params: events, distance
UPDATE purge_alert SET event = event + %(distance)s WHERE event IN (SELECT unnest(%(events)s::bigint[]))

-- name: move_deliveries
-- Or a subscriber would be told the keys of the published event that has the number then.
-- params: events, distance
UPDATE purge_delivery SET event = event + %(distance)s WHERE event IN (SELECT unnest(%(events)s::bigint[]))

-- name: move_plans
-- params: events, distance
WITH moved AS MATERIALIZED (SELECT unnest(%(events)s::bigint[]) AS id)
UPDATE purge_plan SET
    made = made + CASE WHEN made IN (SELECT id FROM moved) THEN %(distance)s ELSE 0 END,
    approved = approved + CASE WHEN approved IN (SELECT id FROM moved) THEN %(distance)s ELSE 0 END,
    applied = applied + CASE WHEN applied IN (SELECT id FROM moved) THEN %(distance)s ELSE 0 END
WHERE made IN (SELECT id FROM moved) OR approved IN (SELECT id FROM moved) OR applied IN (SELECT id FROM moved)

-- name: move_rewrites
-- params: events, distance
WITH moved AS MATERIALIZED (SELECT unnest(%(events)s::bigint[]) AS id)
UPDATE purge_rewrite SET
    asked = asked + CASE WHEN asked IN (SELECT id FROM moved) THEN %(distance)s ELSE 0 END,
    erasure = erasure + CASE WHEN erasure IN (SELECT id FROM moved) THEN %(distance)s ELSE 0 END,
    event = event + CASE WHEN event IN (SELECT id FROM moved) THEN %(distance)s ELSE 0 END
WHERE asked IN (SELECT id FROM moved) OR erasure IN (SELECT id FROM moved) OR event IN (SELECT id FROM moved)

-- name: clear_segments
-- The worker makes them again.
DELETE FROM lifecycle_segment

-- name: advance
-- The next event comes behind all that were published.
-- params: top
SELECT setval(number, greatest(%(top)s, pg_sequence_last_value(number)))
FROM CAST(pg_get_serial_sequence('lifecycle_event', 'id') AS regclass) AS number WHERE %(top)s > 0

-- name: recovered
-- params: detail
SELECT lifecycle.write_v1('log_recovered', '', '', NULL, 0, NULL, NULL, NULL, %(detail)s::jsonb, NULL)

-- name: cut
-- params: log, size, frontier
SELECT lifecycle.cut_log_v1(%(log)s::int, %(size)s, %(frontier)s)

-- name: note_recovery
-- params: log, gaps, event
UPDATE lifecycle_log SET gaps = %(gaps)s::jsonb, recovered = %(event)s WHERE incarnation = %(log)s
