"""Nothing but `manage.py run_huey`: on time, once, and through faults."""

import math
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from lifecycle.ledger.policy_states import pause
from lifecycle.models import AgendaEntry, Event
from purge.models import Run
from purge.passes.runs import close_interrupted
from tests.infra.servers import until
from tests.purge.worker.consumer import Consumer, ask, endings, psql
from tests.zoo.models import Coupon, Spark

Start = Callable[..., Consumer]
SECOND = timedelta(seconds=1)
SOON = 10 * SECOND  # on a machine with other work; `make bench` measures the lag


def recorded(kind: str) -> Event:
    return Event.objects.get(kind=kind, model="zoo.spark")


def sparks(count: int, flash: bool = True, wait: timedelta = timedelta(0)) -> set[str]:
    """Rows that are due after a wait; their keys."""
    due = timezone.now() + wait
    made = Spark.objects.bulk_create([Spark(flash=flash, expires_at=due) for _ in range(count)])
    return {str(each.pk) for each in made}


def test_row_from_psql_goes_on_time(consumer: Start) -> None:
    consumer()
    psql(
        "INSERT INTO zoo_spark (flash, expires_at)"
        " VALUES (false, clock_timestamp() + interval '3 seconds')"
    )
    due = Spark.objects.get().expires_at
    until(lambda: not Spark.objects.exists())
    tombstoned, purged = recorded("tombstoned").recorded_at, recorded("purged").recorded_at
    assert timedelta(0) <= tombstoned - due < SOON
    assert 2 * SECOND <= purged - tombstoned < 2 * SECOND + SOON


@pytest.mark.slow
def test_without_grace_it_goes_at_once(consumer: Start) -> None:
    consumer()
    sparks(1, wait=2 * SECOND)
    due = Spark.objects.get().expires_at
    until(lambda: not Spark.objects.exists())
    assert timedelta(0) <= recorded("purged").recorded_at - due < SOON
    assert not Event.objects.filter(kind="tombstoned").exists()


@pytest.fixture
def kills() -> int:
    """How many; tests/soak takes more."""
    return 2


@pytest.mark.slow
def test_nothing_is_lost_by_kills(consumer: Start, kills: int) -> None:
    keys: set[str] = set()
    for turn in range(kills):
        keys |= sparks(700)
        killed = consumer(f"turn-{turn}")
        until(killed.is_in_a_batch)
        killed.kill()
        assert Spark.objects.exists()
    consumer("last")
    until(lambda: not Spark.objects.exists(), 90)
    assert endings() == dict.fromkeys(keys, 1)
    until(lambda: not AgendaEntry.objects.exists())
    assert sum(Run.objects.values_list("purged", flat=True)) == len(keys)


@pytest.mark.slow
def test_killed_run_is_closed_with_its_counts(consumer: Start) -> None:
    sparks(700)
    killed = consumer()
    until(lambda: Run.objects.filter(purged__gt=0).exists())
    open_runs = Run.objects.filter(finished_at=None)
    # Its runs are slices of a second: not between two of them.
    until(lambda: killed.is_caught(lambda: killed.is_in_a_batch() and open_runs.count() == 1))
    killed.kill()
    until(lambda: not killed.sessions())
    assert open_runs.count() == 1
    assert close_interrupted() == 0
    ask("UPDATE purge_run SET last_batch_at = last_batch_at - interval '11 minutes'")
    assert close_interrupted() == 1
    assert Run.objects.filter(error="interrupted").count() == 1
    purged = sum(Run.objects.values_list("purged", flat=True))
    assert purged == 700 - Spark.objects.count() > 0


@pytest.fixture
def slow_deletes(transactional_db: None) -> Iterator[None]:
    """A batch of twenty takes a second."""
    ask(
        "CREATE FUNCTION slow_down() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN PERFORM pg_sleep(0.05); RETURN OLD; END'"
    )
    ask("CREATE TRIGGER slow BEFORE DELETE ON zoo_spark FOR EACH ROW EXECUTE FUNCTION slow_down()")
    yield
    ask("DROP FUNCTION slow_down() CASCADE")


@pytest.mark.usefixtures("slow_deletes")
def test_sigterm_finishes_the_batch(consumer: Start) -> None:
    sparks(200)
    stopped = consumer()
    until(stopped.is_in_a_batch)
    assert stopped.end() == 0
    gone = 200 - Spark.objects.count()
    assert gone
    assert gone % 20 == 0
    assert len(endings()) == gone
    assert not Run.objects.filter(finished_at=None).exists()
    assert sum(Run.objects.values_list("purged", flat=True)) == gone  # a slice may have ended


@pytest.mark.slow
def test_lost_connections_are_made_again(consumer: Start) -> None:
    cut = consumer()
    sparks(700)
    until(cut.is_in_a_batch)
    for _ in range(3):
        ask(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s",
            cut.name,
        )
        until(lambda: cut.sessions() > 0)
    keys = sparks(1, wait=SECOND)
    until(lambda: not Spark.objects.exists())
    assert set(endings().values()) == {1}
    assert keys <= endings().keys()
    assert not cut.has_ended()


@pytest.mark.slow
def test_lost_wake_ups_are_repeated(consumer: Start) -> None:
    consumer()
    ask(
        "CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
        "CREATE TRIGGER lose BEFORE INSERT ON huey_task FOR EACH ROW EXECUTE FUNCTION lose()"
    )
    try:
        before = ask("SELECT last_value FROM huey_task_id_seq")
        keys = sparks(5)
        until(lambda: ask("SELECT last_value FROM huey_task_id_seq") > before)
        assert Spark.objects.count() == 5
    finally:
        ask("DROP FUNCTION lose() CASCADE")
    until(lambda: not Spark.objects.exists())
    assert endings() == dict.fromkeys(keys, 1)


@pytest.mark.slow
def test_paused_policy_keeps_nobody_busy(consumer: Start) -> None:
    pause("flashes")
    sparks(1000)
    consumer()
    before = ask("SELECT last_value FROM huey_task_id_seq")
    sparks(1, flash=False, wait=SECOND)
    until(lambda: not Spark.objects.filter(flash=False).exists())
    assert ask("SELECT last_value FROM huey_task_id_seq") - before <= 6
    assert Spark.objects.count() == 1000
    assert not Run.objects.filter(policy="flashes").exists()


@pytest.mark.slow
def test_failing_policy_stops_no_other_and_rests(consumer: Start) -> None:
    Coupon.objects.create(code="A", expires_at=timezone.now())
    rename = 'ALTER TABLE zoo_coupon RENAME COLUMN "%s" TO "%s"'
    ask(rename.replace('"%s"', "expires_at", 1).replace('"%s"', "gone"))
    try:
        started = consumer()
        failed = Run.objects.filter(policy="coupons", error="ProgrammingError")
        until(failed.exists)
        began = time.monotonic()
        sparks(20)
        sparks(1, flash=False, wait=SECOND)
        until(lambda: not Spark.objects.exists())
        # Rests of 2, 4, 8 seconds and so on.
        assert failed.count() <= 2 + math.log2(time.monotonic() - began + 2)
        until(lambda: "SQLSTATE 42703" in started.log.read_text())
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE zoo_coupon RENAME COLUMN gone TO expires_at")
    until(lambda: not Coupon.objects.exists())


@pytest.mark.slow
def test_days_have_86400_seconds_in_new_york(consumer: Start) -> None:
    zone = {"PGTZ": "America/New_York"}
    psql(
        "SET timezone = 'America/New_York';"
        "INSERT INTO zoo_draft (title, status, created_at)"
        " VALUES ('', 'draft', now() - interval '86399 seconds');"
        # Over the night of 13 March 2027 clocks go forward.
        "UPDATE zoo_draft SET created_at = '2027-03-13 12:00'",
        **zone,
    )
    entry = AgendaEntry.objects.latest("due_at")
    assert entry.due_at.isoformat() == "2027-03-14T17:00:00+00:00"
    consumer(
        "ny", TZ="America/New_York", DJANGO_SETTINGS_MODULE="tests.purge.worker.new_york", **zone
    )
    until(lambda: AgendaEntry.objects.count() == 1)
    assert AgendaEntry.objects.get() == entry
    assert not Event.objects.filter(kind="tombstoned").exists()


@pytest.mark.slow
def test_backlog_of_one_policy_lets_the_others_through(consumer: Start, slow_deletes: None) -> None:
    sparks(600)
    working = consumer("single", "--workers=1")
    until(working.is_in_a_batch)
    sparks(1, flash=False, wait=SECOND)
    due = Spark.objects.get(flash=False).expires_at
    until(lambda: Event.objects.filter(kind="tombstoned").exists())
    # A slice and the batch under way at its end; the whole backlog takes thirty seconds.
    assert recorded("tombstoned").recorded_at - due < SOON
    assert Spark.objects.filter(flash=True).count() > 300


@pytest.mark.slow
def test_old_backlog_is_done_slice_after_slice(consumer: Start, slow_deletes: None) -> None:
    for _ in range(8):
        sparks(20)
    ask("UPDATE lifecycle_agenda SET due_at = due_at - interval '1 hour'")
    consumer("single", "--workers=1")
    until(lambda: not Spark.objects.exists(), 25)  # before a second heartbeat
    assert Run.objects.count() >= 2
    assert set(endings().values()) == {1}


@pytest.mark.slow
def test_workers_may_be_processes(consumer: Start) -> None:
    started = consumer("forked", "--worker-type=process", "--workers=2")
    for _ in range(2):  # not only the first time
        sparks(30, wait=SECOND)
        due = Spark.objects.latest("expires_at").expires_at
        until(lambda: not Spark.objects.exists())
        last = Event.objects.filter(kind="purged").latest("id")
        assert last.recorded_at - due < SOON
    assert set(endings().values()) == {1}
    assert started.end() == 0
