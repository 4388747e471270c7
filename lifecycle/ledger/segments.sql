-- name: last_number
-- The last number that the ledger has given.
SELECT pg_sequence_last_value(pg_get_serial_sequence('lifecycle_event', 'id')::regclass)

-- name: writers
-- The transactions that have the ledger open for writing, this one apart; prepared ones too. Who has taken a number has
-- its sequence open as well, to the end, also where it has not begun to write.
SELECT virtualtransaction FROM pg_locks
WHERE locktype = 'relation' AND relation IN ('lifecycle_event'::regclass, to_regclass('lifecycle_pending'),
    pg_get_serial_sequence('lifecycle_event', 'id')::regclass) AND pid IS DISTINCT FROM pg_backend_pid()
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
AND mode NOT IN ('AccessShareLock', 'RowShareLock')

-- name: cover
-- params: upto
SELECT lifecycle.cover_v1(%(upto)s)

-- name: pieces
-- The ranges of numbers, the newest first, in which there may be events about a key of a model: the segments whose
-- filter does not say that it is not there, or that share a set with events of such; and all that is not covered
-- without a gap from the beginning. A table that had another name had its sets under that one.
-- params: model, key; parts: kind, number (the key where it is an integer), owner_has (whether a set holds it)
WITH RECURSIVE known AS (
    SELECT %(model)s::text AS model
    UNION
    SELECT event.detail ->> 'formerly' FROM known JOIN lifecycle_event AS event ON event.model = known.model
    WHERE event.kind = 'policy_changed' AND event.detail ? 'formerly'
), given AS MATERIALIZED (
    SELECT {number} AS number, sha256(convert_to(key::text, 'UTF8')) AS hash FROM (SELECT %(key)s::{kind} AS key) AS one
), chain AS (
    SELECT first, last, lag(last, 1, 0::bigint) OVER (ORDER BY first) + 1 = first AS follows
    FROM lifecycle_segment WHERE model = ''
), covered AS MATERIALIZED (
    SELECT coalesce(max(last), 0) AS upto FROM chain
    WHERE first < coalesce((SELECT min(first) FROM chain WHERE NOT follows), 9223372036854775807)
), segment AS MATERIALIZED (
    SELECT first, last, bases,
        coalesce(highs[width_bucket(number, lows)] >= number, false) OR lifecycle.may_hold_v1(filter, hash) AS hit
    FROM lifecycle_segment CROSS JOIN given CROSS JOIN covered
    WHERE model IN (SELECT known.model FROM known) AND last <= covered.upto
), owner AS MATERIALIZED (
    SELECT array_agg(owner.id) AS ids FROM segment JOIN lifecycle_event AS owner ON owner.id BETWEEN first AND last
    WHERE hit AND owner.basis IS NULL AND owner.model IN (SELECT known.model FROM known) AND {owner_has}
)
SELECT first, last + 1 FROM segment
WHERE CASE WHEN hit THEN true WHEN bases IS NULL THEN false ELSE coalesce(bases && (SELECT ids FROM owner), false) END
UNION
SELECT upto + 1, (SELECT max(id) + 1 FROM lifecycle_event) FROM covered
WHERE upto < (SELECT max(id) FROM lifecycle_event)
ORDER BY 1 DESC
