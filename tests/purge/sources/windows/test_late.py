"""Rows that come late: none is lost, none goes before its time."""

from collections.abc import Iterator

import pytest

from lifecycle.models import AgendaEntry, Event
from lifecycle.policy.registry import get_policy
from lifecycle.testing import set_clock
from purge.passes.options import PassOptions
from purge.runner import run_due, run_policy
from purge.sources.windows.sweep import find_windows
from tests.purge.sources.windows.support import MONTH, NOON, day, trace, windows
from tests.races.gates import closed_gate
from tests.support import (
    Background,
    Holding,
    endings,
    other_sql,
    session,
    together,
    wait_until,
    waits_for,
)
from tests.zoo.models import Knock, Trace

pytestmark = pytest.mark.django_db(transaction=True)

INSERT = "INSERT INTO zoo_trace (label, made_at, wanted) VALUES (%s, %s, false)"


@pytest.fixture(autouse=True)
def _noon(transactional_db: None) -> None:
    set_clock(NOON)


def left() -> list[str]:
    return list(Trace.objects.order_by("label").values_list("label", flat=True))


def sweep() -> None:
    """A worker that looks at what is due, without the heartbeat's look for windows."""
    run_policy(get_policy("traces"))


def test_a_straggler_that_commits_after_its_window_was_settled_is_found() -> None:
    trace(day(9), label="first")
    with session() as late:
        late.execute(INSERT, ["late", day(9, 3) - MONTH])
        sweep()
        assert windows() == []
        late.commit()
    assert left() == ["late"]
    find_windows()
    sweep()
    assert left() == []


def test_a_long_transaction_brings_its_own_window() -> None:
    with session() as late:
        late.execute(INSERT, ["late", day(12) - MONTH])
        set_clock(day(14))
        sweep()
        late.commit()
    assert windows() == [day(12)]
    sweep()
    assert left() == []


def test_a_repeatable_read_writer_sees_an_entry_that_is_gone_and_is_found() -> None:
    trace(day(9), label="first")
    with session() as late:
        late.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        late.execute("SELECT count(*) FROM lifecycle_agenda")
        sweep()
        late.execute(INSERT, ["late", day(9, 3) - MONTH])
        late.commit()
    assert (left(), windows()) == (["late"], [])
    run_due()
    assert left() == []


def test_a_row_that_moves_away_while_it_is_swept_stays() -> None:
    trace(day(9), label="first")
    with session() as mover:
        mover.execute("UPDATE zoo_trace SET made_at = %s", [day(20) - MONTH])
        sweep()
        assert left() == ["first"]
        mover.commit()
    set_clock(day(10, 18))
    run_due()
    assert left() == ["first"]
    assert windows() == [day(20)]


def test_a_row_that_moves_into_a_window_that_is_being_settled_is_found() -> None:
    trace(day(9), label="first")
    trace(day(20), label="mover")
    with session() as mover:
        mover.execute(
            "UPDATE zoo_trace SET made_at = %s WHERE label = 'mover'", [day(9, 5) - MONTH]
        )
        sweep()
        assert left() == ["mover"]
        mover.commit()
    run_due()
    assert left() == []


def test_a_row_that_somebody_writes_is_taken_when_he_is_done() -> None:
    trace(day(9), label="a")
    trace(day(9), label="b")
    with session() as writer:
        writer.execute("UPDATE zoo_trace SET wanted = wanted WHERE label = 'a'")
        sweep()
        assert left() == ["a"]
        (told,) = Event.objects.filter(detail__relisted="locked")
        assert told.count == 1
        writer.rollback()
    set_clock(NOON.replace(minute=1))
    run_due()
    assert left() == []


def test_a_hold_that_is_being_written_is_waited_for() -> None:
    row = trace(day(9), label="held")
    trace(day(9), label="gone")
    holding = Holding(row)
    sweep()
    assert left() == ["held"]
    holding.commit()
    set_clock(NOON.replace(minute=1))
    sweep()
    assert left() == ["held"]
    (entry,) = AgendaEntry.objects.filter(policy="traces")
    assert entry.due_at > NOON.replace(hour=23)


def test_two_workers_end_each_row_once() -> None:
    for number in range(1, 9):
        Trace.objects.bulk_create(Trace(made_at=day(number, h % 24) - MONTH) for h in range(150))
    together(run_due, run_due)
    run_due()
    assert Trace.objects.count() == 0
    purged = Event.objects.filter(kind="purged")
    assert sum(event.count for event in purged) == 1_200
    assert set(endings().values()) == {1}


def test_a_second_worker_leaves_a_window_to_the_first() -> None:
    trace(day(9))
    with closed_gate("purged") as gate:
        first = Background(sweep)
        wait_until(lambda: waits_for(gate.info.backend_pid), "the first worker")
        sweep()
        assert Event.objects.filter(kind="settled").count() == 0
        gate.rollback()
        first.result()
    assert left() == []


def test_a_row_that_comes_into_a_tombstoned_window_has_the_whole_grace() -> None:
    Knock.objects.create(until=day(10, 10))
    run_due()
    set_clock(NOON.replace(minute=40))
    Knock.objects.create(until=day(10, 10))
    run_due()
    set_clock(NOON.replace(hour=13, minute=20))
    run_due()
    assert Knock.objects.count() == 2
    set_clock(NOON.replace(hour=13, minute=41))
    run_due()
    assert Knock.objects.count() == 0


def test_a_sweep_that_is_broken_off_is_taken_up_by_anybody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(get_policy("traces"), "batch_rows", 3)
    for hour in range(10):
        trace(day(9, hour), wanted=hour == 0)
    run_policy(get_policy("traces"), PassOptions(limit=4))
    assert 0 < Trace.objects.count() < 10
    monkeypatch.setattr("purge.sources.windows.sweep._positions", {})
    run_due()
    assert Trace.objects.count() == 1


FAILING = " OR CASE WHEN label = 'bad' THEN 1 / (length(label) - 3) = 1 ELSE false END AS \"keep\""


@pytest.fixture
def failing() -> Iterator[None]:
    with other_sql("traces", ' AS "keep"', FAILING):
        yield


@pytest.mark.usefixtures("failing")
def test_a_row_on_which_the_condition_fails_holds_up_no_other() -> None:
    trace(day(9), label="bad")
    trace(day(9), label="good")
    sweep()
    assert left() == ["bad"]
    told = Event.objects.get(kind="blocked")
    assert told.detail["sqlstate"] == "22012"
    set_clock(NOON.replace(minute=5))
    sweep()
    assert AgendaEntry.objects.get(policy="traces").attempts == 2
