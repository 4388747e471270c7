"""What is asked often reads no more where more has happened: runs that are over, mails that went,
events of other kinds, rows that were written singly and lie on the pending list.

PostgreSQL's own count of what its scans have given, of tables and of their indexes; no time is
measured. Each test fills the tables in a transaction that is taken back.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lifecycle.backfill.progress import reconcile
from lifecycle.db.connection import fetch, rehearsal, scalar, statement
from lifecycle.insight import capped
from lifecycle.ledger import holds
from lifecycle.ledger.held_deleted import held_deleted
from lifecycle.policy.registry import all_policies, get_policy
from purge import acting
from purge.alerts import watch
from purge.archive import records
from purge.erasure.receipt import receipts
from purge.models import Archive
from purge.notices import record, wanted
from purge.outbox import deliver
from purge.passes.runs import close_interrupted
from purge.proof import left, prune
from purge.requests import told, tries
from purge.runner import run_policy
from purge.sources import requested
from tests.zoo.models import Sensor, Token

pytestmark = pytest.mark.django_db(transaction=True)

MANY, FEW = 3_000, 200
READ = """
SELECT coalesce(sum(pg_stat_get_xact_tuples_returned(class.oid)), 0)::bigint
FROM pg_class AS class LEFT JOIN pg_index ON indexrelid = class.oid
WHERE %(table)s::regclass IN (class.oid, indrelid)
"""
PENDING = """
INSERT INTO lifecycle_pending (id, event_id, attempts, kind, policy, model, subjects_bigint, count,
    due_at, recorded_at, cause, actor, detail)
SELECT number, number, 0, 'expiry_scheduled', 'tokens', 'zoo.token', ARRAY[i], 1,
    now() + interval '30 days', now(), '', '', '{}'
FROM (SELECT i, nextval('lifecycle_event_id_seq') AS number
      FROM generate_series(1, %(many)s) AS i) AS one
"""
EVENTS = """
INSERT INTO lifecycle_event
    (kind, policy, model, count, subjects_bigint, recorded_at, cause, actor, detail)
SELECT %(kind)s, 'guests', 'zoo.guest', 1, ARRAY[i], now() - interval '3 days', '', '',
    '{"mail": 1, "of": 2}'
FROM generate_series(1, %(many)s) AS i
"""
RUNS = """
INSERT INTO purge_run (policy, started_at, finished_at, last_batch_at, origin, actor, batches,
    tombstoned, purged, updated, kept, held, blocked, locked, error)
SELECT 'tokens', now(), now(), now() - interval '1 day', 'worker', '', 1, 1, 0, 0, 0, 0, 0, 0, ''
FROM generate_series(1, %(many)s)
"""
DELIVERIES = """
INSERT INTO purge_delivery
    (subscriber, event, model, policy, rows, made_at, due_at, attempts, token, error)
SELECT 'search', i, 'zoo.token', 'tokens', 1, now(), now() + interval '1 day', 1,
    gen_random_uuid(), ''
FROM generate_series(1, %(many)s) AS i
"""
EXCEPTIONS = """
INSERT INTO lifecycle_exception (event_id, kind, policy, model, key, since)
SELECT -1, 'hold', '', 'zoo.token', i::text, now() FROM generate_series(1, %(many)s) AS i
"""

REQUESTS = """
WITH opened AS (
    INSERT INTO lifecycle_event
        (kind, policy, model, count, subjects_bigint, recorded_at, cause, actor, detail)
    SELECT 'requested', 'people', 'zoo.person', 1, ARRAY[i], now(), '', '',
        jsonb_build_object('step', 'opened', 'reference', 'R-' || i, 'received', now(),
            'deadline', now())
    FROM generate_series(1, %(many)s) AS i RETURNING id, subjects_bigint
)
INSERT INTO lifecycle_event
    (kind, policy, model, count, subjects_bigint, recorded_at, cause, actor, detail)
SELECT 'requested', 'people', 'zoo.person', 1, subjects_bigint, now(), '', '',
    jsonb_build_object('step', 'asked', 'request', id)
FROM opened
"""
GRACE_OVER = """
UPDATE lifecycle_agenda SET due_at = due_at - interval '2 hours',
    tombstoned_at = tombstoned_at - interval '2 hours' WHERE policy = 'sensors'
"""
SEGMENTS = """
INSERT INTO lifecycle_segment (first, last, model)
SELECT first, first + 999, ''
FROM (SELECT min(id) AS low, max(id) AS high FROM lifecycle_event) AS there,
    generate_series(low, high, 1000) AS first
"""


@pytest.fixture(autouse=True)
def taken_back() -> Iterator[None]:
    with rehearsal("default"):
        yield


def fill(text: str, table: str, **given: Any) -> None:
    fetch("default", text, {"many": MANY} | given)
    fetch("default", f"ANALYZE {table}")


def read_of(table: str, action: Callable[[], Any]) -> int:
    """What an action reads of a table, by itself or by an index."""
    before = scalar("default", READ, {"table": table})
    action()
    return int(scalar("default", READ, {"table": table}) - before)


def troubles() -> None:
    fetch("default", statement(watch.__file__, "troubles"), {"since": "2030-01-01"})


@pytest.mark.parametrize(
    "asked",
    [
        lambda: reconcile("default"),
        lambda: held_deleted("default"),
        lambda: receipts("R-1"),
        lambda: wanted.room(get_policy("guests"), "default"),
        troubles,
    ],
    ids=["reconcile", "held_deleted", "receipts", "warned", "troubles"],
)
def test_what_is_no_due_time_is_not_looked_for_among_the_pending(asked: Callable[[], Any]) -> None:
    fill(PENDING, "lifecycle_pending")
    assert read_of("lifecycle_pending", asked) < FEW


def test_an_entry_by_its_number_is_not_looked_for_among_the_pending() -> None:
    fill(EVENTS, "lifecycle_event", kind="blocked")
    fill(PENDING, "lifecycle_pending")
    retried = "SELECT max(lifecycle.retry_v1(id)) FROM lifecycle_event WHERE kind = 'blocked'"
    retried += " AND id = (SELECT min(id) FROM ONLY lifecycle_event WHERE kind = 'blocked')"
    assert read_of("lifecycle_pending", lambda: fetch("default", retried)) < FEW
    locked = statement(requested.__file__, "lock_override")
    given = {"event": 1}
    assert read_of("lifecycle_pending", lambda: fetch("default", locked, given)) < FEW


def test_how_policies_stand_is_told_by_one_look_at_the_pending() -> None:
    fill(PENDING, "lifecycle_pending")
    declared = {policy.name: policy for policy in all_policies()}
    told: list[capped.Capped] = []
    read = read_of(
        "lifecycle_pending", lambda: told.append(capped.read("default", declared, len(declared)))
    )
    assert read < 2 * MANY
    counts = told[0].counts["tokens"]
    assert counts.scheduled.number == min(MANY, capped._most(len(declared)))
    assert counts.next_due is not None


def test_an_archive_that_fails_has_no_rows_that_are_pending() -> None:
    fill(PENDING, "lifecycle_pending")
    Archive.objects.create(policy="tokens", model="zoo.token", attempts=1, error="away")
    text = statement(acting.__file__, "unarchived")
    assert read_of("lifecycle_pending", lambda: fetch("default", text)) < FEW


def test_a_batch_of_tombstones_does_not_read_the_pending() -> None:
    Sensor.objects.bulk_create([Sensor(address="10.0.0.1", expires_at="2020-01-01T00:00Z")])
    Sensor(address="10.0.0.2", expires_at="2020-01-01T00:00Z").save()
    sensors = get_policy("sensors")
    assert run_policy(sensors).tombstoned == 2
    fill(PENDING, "lifecycle_pending")
    fetch("default", GRACE_OVER)
    assert read_of("lifecycle_pending", lambda: run_policy(sensors)) < FEW
    assert not Sensor.objects.exists()


def test_runs_that_are_over_are_not_looked_through_for_one_that_was_interrupted() -> None:
    fill(RUNS, "purge_run")
    assert read_of("purge_run", lambda: close_interrupted("default")) < FEW


@pytest.mark.parametrize(
    "asked",
    [
        lambda: record.claim(["guests"], "default"),
        lambda: wanted.room(get_policy("guests"), "default"),
    ],
    ids=["claim", "warned"],
)
def test_mails_that_went_long_ago_are_not_counted(asked: Callable[[], Any]) -> None:
    fill(EVENTS, "lifecycle_event", kind="noticed")
    assert read_of("lifecycle_event", asked) < FEW


def test_what_is_told_later_is_not_read_every_second() -> None:
    fill(DELIVERIES, "purge_delivery")
    given = {"names": ["search"], "lease": deliver.LEASE}
    text = statement(deliver.__file__, "claim")
    assert read_of("purge_delivery", lambda: fetch("default", text, given)) < FEW


def test_holds_without_an_end_are_not_read_for_one_that_is_over() -> None:
    fill(EXCEPTIONS, "lifecycle_exception")
    text = statement(tries.__file__, "moments")
    assert read_of("lifecycle_exception", lambda: fetch("default", text)) < FEW


@pytest.mark.parametrize(
    ("module", "name"), [(left, "any_left"), (records, "archived")], ids=["pruned", "archived"]
)
def test_few_events_are_not_looked_for_among_all(module: Any, name: str) -> None:
    fill(EVENTS, "lifecycle_event", kind="deleted")
    text = statement(module.__file__, name)
    assert read_of("lifecycle_event", lambda: fetch("default", text, {"names": None})) < FEW


def test_holds_under_a_reference_are_not_looked_for_among_all_events() -> None:
    fill(EVENTS, "lifecycle_event", kind="hold_placed")
    token = Token.objects.create(expires_at=None)
    holds.hold(token, reference="R-1")
    assert read_of("lifecycle_event", lambda: holds.release(reference="R-1")) < FEW


def test_events_that_are_too_young_to_leave_are_not_read_one_by_one() -> None:
    fill(EVENTS, "lifecycle_event", kind="settled")
    fetch("default", SEGMENTS)
    text = statement(prune.__file__, "span")
    given = {"before": "2020-01-01"}
    assert fetch("default", text, given)[0][1] is None
    assert read_of("lifecycle_event", lambda: fetch("default", text, given)) < FEW


def test_other_requests_are_not_read_for_one() -> None:
    fill(REQUESTS, "lifecycle_event")
    ((first,),) = fetch("default", "SELECT min(id) FROM lifecycle_event WHERE kind = 'requested'")
    assert told.told_of(first, "default") is not None
    assert read_of("lifecycle_event", lambda: told.told_of(first, "default")) < FEW


def calls_of(function: str, action: Callable[[], Any]) -> int:
    """How often an action calls a function of the database."""
    calls = "SELECT coalesce(pg_stat_get_xact_function_calls(%(function)s::regproc), 0)"
    given = {"function": f"lifecycle.{function}"}
    before = scalar("default", calls, given)
    action()
    return int(scalar("default", calls, given) - before)


def test_each_part_of_a_hold_makes_its_keys_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a plan of when there was no exception, each one was compared with the first of all keys of
    the part, which were made out anew for it."""
    monkeypatch.setattr(holds, "CHUNK", 10)
    fetch("default", "SET LOCAL track_functions = 'all'")
    fetch("default", "ANALYZE lifecycle_exception")
    Token.objects.bulk_create([Token(expires_at=None) for _ in range(200)])
    made = calls_of("texts_v1", lambda: holds.hold_rows(Token.objects.all(), reference="R-1"))
    assert len(holds.holds("default")) == 20
    assert made <= 20 * 2


def test_held_rows_that_went_are_not_each_compared_with_all_others() -> None:
    fetch("default", "SET LOCAL track_functions = 'all'")
    Token.objects.bulk_create([Token(expires_at=None) for _ in range(300)])
    holds.hold_rows(Token.objects.all(), reference="R-1")
    fetch("default", "ANALYZE lifecycle_exception")
    for token in Token.objects.all()[:50]:
        token.delete()
    Token.objects.all().delete()
    assert len(held_deleted("default")) == 300
    assert calls_of("keys_v1", lambda: held_deleted("default")) <= 51
    assert read_of("lifecycle_exception", lambda: held_deleted("default")) <= 300 * 4
