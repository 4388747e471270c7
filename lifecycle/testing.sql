-- name: test_clock
-- Make now_v1() read a clock that tests set, in a test database only; `reset_clock` takes it back.
CREATE TABLE IF NOT EXISTS lifecycle.test_clock (ahead interval NOT NULL);
GRANT SELECT ON lifecycle.test_clock TO PUBLIC;
CREATE OR REPLACE FUNCTION lifecycle.now_v1() RETURNS timestamptz
LANGUAGE sql VOLATILE AS $$
    SELECT pg_catalog.clock_timestamp()
        + coalesce((SELECT max(ahead) FROM lifecycle.test_clock), interval '0')
$$

-- name: test_clock_set
-- Set the clock to a time; it goes on from there.
-- params: now
WITH before AS (DELETE FROM lifecycle.test_clock)
INSERT INTO lifecycle.test_clock
SELECT make_interval(secs => extract(epoch FROM %(now)s::timestamptz - clock_timestamp()))

-- name: next_due
-- The earliest time at which a policy that may act has something due, or media, which are of none.
SELECT least((
    SELECT min(entry.due_at)
    FROM lifecycle_agenda AS entry JOIN lifecycle_policy AS state ON state.name = entry.policy
    WHERE state.state = 'enabled' AND NOT EXISTS (
        SELECT FROM lifecycle_exception AS held
        WHERE held.kind = 'hold' AND held.model = state.model AND held.key = '' AND held.policy <> ''
        AND lifecycle.in_force_v1(held.until, lifecycle.now_v1()))
), (
    SELECT min(due_at) FROM lifecycle_agenda
    WHERE policy = '' AND NOT lifecycle.all_paused_v1()
))

-- name: test_counts
-- How many rows were recorded since an event, by policy and kind.
-- params: since
SELECT policy, kind, sum(count)::bigint FROM lifecycle_event
WHERE id > %(since)s AND policy <> '' AND kind NOT IN ('settled', 'expiry_scheduled')
GROUP BY policy, kind

-- name: test_numbers
-- Numbers go on behind the highest, also where a test has reset the sequences.
SELECT setval('lifecycle_event_id_seq', highest) FROM (SELECT max(id) AS highest FROM lifecycle_event) AS ledger
WHERE highest > (SELECT last_value FROM lifecycle_event_id_seq)
