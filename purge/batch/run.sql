-- name: prepare
-- First statement of a batch: short waits, the lock that pause and holds on the policy wait for, and what is due
-- already and still pending onto the agenda.
-- Sets of keys go to Python and back as text: exactly, whatever the settings of role and database.
-- params: policy
SELECT set_config('lock_timeout', '300ms', true),
    set_config('datestyle', 'ISO, YMD', true), set_config('intervalstyle', 'postgres', true),
    set_config('extra_float_digits', '1', true), set_config('bytea_output', 'hex', true),
    lifecycle.share_lock_v1(%(policy)s),
    lifecycle.move_pending_v1(%(policy)s, lifecycle.now_v1(), p_wait => false)

-- name: record
-- What one batch did, counted in the batch's own transaction, so that the counts of a killed run are complete; and added to
-- the sums of its policy, of which it takes a line that no other batch has at this moment, or begins one. The seconds are
-- those of the transaction so far.
-- params: run, policy, now, bounds, tombstoned, purged, updated, kept, held, blocked, locked
WITH counted AS (
    UPDATE purge_run SET last_batch_at = %(now)s, batches = batches + 1,
        tombstoned = tombstoned + %(tombstoned)s, purged = purged + %(purged)s,
        updated = updated + %(updated)s, kept = kept + %(kept)s, held = held + %(held)s,
        blocked = blocked + %(blocked)s, locked = locked + %(locked)s
    WHERE id = %(run)s
    RETURNING id
), took AS MATERIALIZED (
    SELECT seconds, width_bucket(seconds, %(bounds)s::float[]) + 1 AS place
    FROM (SELECT extract(epoch FROM clock_timestamp() - transaction_timestamp())::float AS seconds) AS so_far
), free AS MATERIALIZED (
    SELECT total.id FROM purge_total AS total WHERE total.policy = %(policy)s AND EXISTS (SELECT FROM counted)
    ORDER BY total.id LIMIT 1 FOR UPDATE SKIP LOCKED
), added AS (
    UPDATE purge_total AS total SET last_batch_at = greatest(total.last_batch_at, %(now)s), batches = batches + 1,
        seconds = total.seconds + took.seconds,
        spread[took.place] = spread[took.place] + 1,
        tombstoned = tombstoned + %(tombstoned)s, purged = purged + %(purged)s,
        updated = updated + %(updated)s, kept = kept + %(kept)s, held = held + %(held)s,
        blocked = blocked + %(blocked)s, locked = locked + %(locked)s
    FROM free, took WHERE total.id = free.id
    RETURNING total.id
)
INSERT INTO purge_total (policy, last_batch_at, batches, seconds, spread, tombstoned, purged, updated, kept, held,
                         blocked, locked)
SELECT %(policy)s, %(now)s, 1, seconds,
    ARRAY(SELECT (place = n)::int::bigint FROM generate_series(1, cardinality(%(bounds)s::float[]) + 1) AS n),
    %(tombstoned)s, %(purged)s, %(updated)s, %(kept)s, %(held)s, %(blocked)s, %(locked)s
FROM counted, took WHERE NOT EXISTS (SELECT FROM added)
