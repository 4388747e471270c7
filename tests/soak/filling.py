"""A large ledger, quickly: rows and their events as the triggers write them, many in a statement.

Rows of `bench_tracked` in bulk, 10,000 keys an event, every other event's keys not contiguous; rows
of `bench_trackedorder` singly, an event each on the pending list, from where they are gathered as a
worker does it. Written past the triggers, which would take minutes.
"""

import time
from dataclasses import dataclass

from lifecycle.db.connection import fetch
from lifecycle.ledger.pending import move_pending
from tests.bench.server import clear, sql

EVENT = 10_000  # keys
PARTS = 20  # in turn: the ledger of a site has events of all tables side by side
BULK = """
WITH listed AS (
    SELECT 20000 * e AS first, 1 + e %% 2 AS step,
        date_trunc('second', CASE WHEN e * 37 %% 100 < %(due)s THEN now() - interval '1 day'
            ELSE now() + interval '1 day' END + e %% 1440 * interval '30 seconds') AS due
    FROM generate_series(%(first)s::bigint, %(last)s) AS e
), written AS (
    INSERT INTO bench_tracked (id, label, active, expires_at)
    OVERRIDING SYSTEM VALUE
    SELECT first + n * step, 'a label', true, due FROM listed, generate_series(0, 9999) AS n
), told AS (
    INSERT INTO lifecycle_event (kind, policy, model, subjects_bigint, subjects_range, count,
        due_at, recorded_at, cause, actor, detail)
    SELECT 'expiry_scheduled', 'bench-tracked', 'bench.tracked',
        CASE WHEN step = 2
             THEN ARRAY(SELECT first + n * step FROM generate_series(0, 9999) AS n) END,
        CASE WHEN step = 1 THEN int8range(first, first + 10000) END,
        10000, due, now() - interval '2 days', '', '', '{}'
    FROM listed RETURNING id, policy, due_at, count
)
INSERT INTO lifecycle_agenda (event_id, policy, due_at, count, attempts)
SELECT id, policy, due_at, count, 0 FROM told
"""

SINGLY = """
WITH listed AS (
    SELECT i, date_trunc('second', CASE WHEN i * 37 %% 100 < %(due)s THEN now() - interval '1 day'
        ELSE now() + interval '1 day' END + i %% 43200 * interval '1 second') AS due
    FROM generate_series(%(first)s::bigint, %(last)s) AS i
), written AS (
    INSERT INTO bench_trackedorder (id, customer_id, number, status, total, note, created_at)
    OVERRIDING SYSTEM VALUE
    SELECT i, i %% 1000, 'N-1', 'draft', 0, 'a note of some words', due - interval '720 hours'
    FROM listed
), number AS MATERIALIZED (SELECT nextval('lifecycle_event_id_seq') AS id, i, due FROM listed)
INSERT INTO lifecycle_pending (id, event_id, attempts, kind, policy, model, subjects_bigint, count,
    due_at, recorded_at, cause, actor, detail)
SELECT id, id, 0, 'expiry_scheduled', 'bench-order', 'bench.trackedorder', ARRAY[i], 1, due,
    now() - interval '2 days', '', '', '{}'
FROM number
"""


@dataclass(frozen=True)
class Filled:
    """How many rows of each kind there are, and the seconds in which the latter were gathered."""

    bulk: int
    singly: int
    gathering: float


def fill(rows: int, singly: float, due: int = 20) -> Filled:
    """Rows of which a share is written singly, and `due` in a hundred have fallen due."""
    clear()
    events = round(rows * (1 - singly)) // EVENT
    ones = rows - events * EVENT
    sql("SET session_replication_role = replica")
    for part in range(PARTS):
        for text, total in ((BULK, events), (SINGLY, ones)):
            first, last = total * part // PARTS, total * (part + 1) // PARTS - 1
            fetch("default", text, {"first": first + 1, "last": last + 1, "due": due})
    sql("SET session_replication_role = origin")
    for table in ("bench_tracked", "bench_trackedorder"):
        sql(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id) + 1) FROM {table}")
    sql("VACUUM (ANALYZE)")
    began = time.monotonic()
    assert move_pending("default") == ones
    gathering = time.monotonic() - began
    sql("VACUUM (ANALYZE)")
    return Filled(events * EVENT, ones, gathering)
