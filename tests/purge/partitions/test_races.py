"""What others do to the table while a partition of it is dropped, and kills on the way."""

import threading
from typing import Any

import pytest
from django.db import DatabaseError, OperationalError, connection
from psycopg.errors import CheckViolation

from lifecycle import hold
from lifecycle.exceptions import RowMissing
from lifecycle.ledger.policy_states import pause, resume
from lifecycle.models import AgendaEntry, Event
from purge.partitions import drop
from purge.runner import run_due
from tests.purge.partitions import tables
from tests.purge.partitions.tables import run, there, write
from tests.support import Background, Holding, session, together, wait_until, waiting

pytestmark = pytest.mark.django_db(transaction=True)
OLD, OLDER = "2020-01-15T00:00Z", "2019-12-15T00:00Z"


def relisted() -> list[str]:
    entries = AgendaEntry.objects.filter(policy="pings").select_related("event")
    return sorted(str(each.event.detail.get("relisted")) for each in entries)


def retry() -> None:
    """Have what is listed again be due now."""
    run("UPDATE lifecycle_agenda SET due_at = lifecycle.now_v1()")
    run_due()


def purged() -> int:
    return sum(each.count for each in Event.objects.filter(kind="purged"))


class Paused:
    """The worker in a thread, stopped just before it drops, when all is looked at and counted."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.here, self.go = threading.Event(), threading.Event()
        own = drop._drop_it

        def stopped(*args: Any) -> None:
            self.here.set()
            assert self.go.wait(30)
            own(*args)

        monkeypatch.setattr(drop, "_drop_it", stopped)
        self.worker = Background(run_due)
        assert self.here.wait(30)

    def finish(self) -> None:
        self.go.set()
        self.worker.result()


def test_a_reader_that_takes_long_is_not_waited_for(pings: Any) -> None:
    write(OLD)
    with session() as reader:
        reader.execute("SELECT count(*) FROM zoo_ping")
        run_due()
        assert len(there()) == 3
        assert relisted() == ["locked", "locked"]
        assert purged() == 0
    retry()
    assert there() == ["zoo_ping_late"]
    assert purged() == 1


def test_a_writer_of_the_partition_is_not_waited_for(pings: Any) -> None:
    write(OLD)
    with session() as writer:
        writer.execute(f"INSERT INTO zoo_ping (created) VALUES ('{OLD}')")
        run_due()
        assert len(there()) == 3
        writer.commit()
    retry()
    assert there() == ["zoo_ping_late"]
    assert purged() == 2


def test_others_read_and_write_elsewhere_meanwhile(
    pings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(OLD)
    paused = Paused(monkeypatch)
    with session() as other:
        other.execute("SET lock_timeout = '1s'")
        other.execute("INSERT INTO zoo_ping (created) VALUES ('2020-03-01')")
        assert other.execute("SELECT count(*) FROM zoo_ping").fetchone() == (2,)
        other.commit()
    paused.finish()
    assert there() == ["zoo_ping_late"]


def test_a_late_insert_waits_and_then_finds_no_partition(
    pings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or the worker gives up first, and finds its row the next time; it is never lost unsaid."""
    write(OLDER)
    paused = Paused(monkeypatch)

    def insert() -> str:
        with session() as late:
            try:
                late.execute(f"INSERT INTO zoo_ping (created) VALUES ('{OLDER}')")
            except CheckViolation:
                return "no partition"
        return "written"

    late = Background(insert)
    wait_until(waiting)
    paused.finish()
    written = late.result() == "written"
    assert pings.objects.count() + purged() == 1 + written
    retry()
    assert purged() == 1 + written


def test_a_hold_that_comes_first_keeps_the_partition(pings: Any) -> None:
    (pk,) = write(OLD)
    holding = Holding(pings.objects.get(pk=pk))
    run_due()
    assert len(there()) == 3
    holding.commit()
    retry()
    assert there() == ["zoo_ping_late", "zoo_ping_old"]
    assert relisted() == ["held"]


def test_a_hold_that_comes_later_finds_the_row_gone_or_keeps_it(
    pings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (pk,) = write(OLDER)
    row = pings.objects.get(pk=pk)
    paused = Paused(monkeypatch)

    def place() -> str:
        try:
            hold(row)
        except RowMissing:
            return "missing"
        return "held"

    holding = Background(place)
    wait_until(waiting)
    paused.finish()
    held = holding.result() == "held"
    assert pings.objects.filter(pk=pk).exists() == held
    retry()
    assert pings.objects.filter(pk=pk).exists() == held


def test_a_pause_that_comes_while_it_looks_goes_first(
    pings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(OLD, OLDER)
    paused = Paused(monkeypatch)
    pausing = Background(lambda: pause("pings"))
    wait_until(waiting)
    paused.finish()
    pausing.result()
    assert len(there()) == 3
    assert purged() == 0
    resume("pings")
    retry()
    assert there() == ["zoo_ping_late"]


def test_a_second_worker_leaves_it_to_the_first(
    pings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else each would keep the other from the lock on the table, which both read."""
    write(OLD, OLDER)
    paused = Paused(monkeypatch)
    before = Event.objects.count()
    assert "pings" not in run_due()
    assert Event.objects.count() == before
    paused.finish()
    assert there() == ["zoo_ping_late"]
    assert purged() == 2
    assert not Event.objects.filter(detail__relisted="locked").exists()


def test_two_workers_drop_each_partition_once(pings: Any) -> None:
    write(OLD, OLDER)
    drop.find_partitions("default")
    together(run_due, run_due)
    retry()
    assert there() == ["zoo_ping_late"]
    assert purged() == 2


@pytest.mark.parametrize("after", [False, True])
def test_a_kill_leaves_all_or_nothing(
    pings: Any, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    write(OLD, OLDER)
    own = drop._drop_it

    def killed(*args: Any) -> None:
        if after:
            own(*args)
        run("SELECT pg_terminate_backend(pg_backend_pid())")

    with monkeypatch.context() as patch:
        patch.setattr(drop, "_drop_it", killed)
        with pytest.raises(OperationalError):
            run_due()
    connection.close()
    assert len(there()) == 3
    assert purged() == 0
    run_due()
    assert there() == ["zoo_ping_late"]
    assert purged() == 2


def test_a_partition_that_was_detached_is_left_alone(pings: Any) -> None:
    write(OLD)
    drop.find_partitions("default")
    run("ALTER TABLE zoo_ping DETACH PARTITION zoo_ping_old")
    run_due()
    assert run("SELECT count(*) FROM zoo_ping_old") == [(1,)]
    assert not AgendaEntry.objects.exists()
    assert purged() == 0
    run("DROP TABLE zoo_ping_old")


def test_a_partition_that_was_renamed_or_has_another_in_its_place(pings: Any) -> None:
    """It is found by its bounds; what has its name now, and is none, stays."""
    write(OLD)
    drop.find_partitions("default")
    run("ALTER TABLE zoo_ping_old RENAME TO zoo_ping_renamed", "CREATE TABLE zoo_ping_old (a int)")
    run_due()
    assert there() == ["zoo_ping_late"]
    assert run("SELECT count(*) FROM zoo_ping_old") == [(0,)]
    assert Event.objects.get(kind="purged").detail["partition"] == "public.zoo_ping_renamed"
    run("DROP TABLE zoo_ping_old")


def test_a_detach_that_was_interrupted_is_left_to_people(pings: Any) -> None:
    write(OLD)
    drop.find_partitions("default")
    with session(autocommit=True) as reader, session(autocommit=True) as detaching:
        reader.execute("BEGIN; SELECT count(*) FROM zoo_ping")
        detaching.execute("SET statement_timeout = '200ms'")
        with pytest.raises(Exception, match="statement timeout"):
            detaching.execute("ALTER TABLE zoo_ping DETACH PARTITION zoo_ping_old CONCURRENTLY")
        reader.execute("COMMIT")
    run_due()
    assert "zoo_ping_old" in there()
    blocked = Event.objects.get(kind="blocked")
    assert blocked.detail["error"] == "detaching"
    run("ALTER TABLE zoo_ping DETACH PARTITION zoo_ping_old FINALIZE", "DROP TABLE zoo_ping_old")


def test_what_depends_on_a_partition_keeps_it(pings: Any) -> None:
    write(OLD, OLDER)
    run("CREATE VIEW zoo_ping_seen AS SELECT * FROM zoo_ping_old")
    run_due()
    assert there() == ["zoo_ping_late", "zoo_ping_old"]
    assert Event.objects.get(kind="blocked").detail["sqlstate"] == "2BP01"
    assert purged() == 1
    run("DROP VIEW zoo_ping_seen")
    retry()
    assert there() == ["zoo_ping_late"]


def test_the_function_believes_nothing(pings: Any) -> None:
    """Whatever a worker says: a row more or less, a partition that is not over, a held row."""
    write(OLD, OLD, "2020-02-15T00:00Z")
    drop.find_partitions("default")

    def dropped(until: str, rows: int, before: str = "now() + interval '9 minutes'") -> str:
        asked = f"'pings', '{until}', {rows}, NULL, {before}"
        return str(run(f"SELECT lifecycle.drop_partition_v1({asked})")[0][0])

    assert dropped("2020-02-01T00:00Z", 1) == "changed"
    assert dropped("2999-01-01T00:00Z", 1) == "not_due"
    assert dropped("2020-02-02T00:00Z", 2) == "gone"
    for before in ("now()", "NULL", "'infinity'", "now() + interval '61 minutes'"):
        assert dropped("2020-02-01T00:00Z", 2, before) == "late"
    assert dropped("2020-02-01T00:00Z", 2) == ""
    hold(pings.objects.get(pk=write(OLDER)[0]))
    assert dropped("2020-01-01T00:00Z", 1) == "held"
    run("UPDATE lifecycle_policy SET state = 'paused' WHERE name = 'pings'")
    assert dropped("2020-01-01T00:00Z", 1) == "stopped"
    with pytest.raises(DatabaseError):
        run("SELECT lifecycle.take_partition_v1('pings', 'yesterday evening')")
    tables.run("UPDATE lifecycle_policy SET state = 'enabled' WHERE name = 'pings'")
