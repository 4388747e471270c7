"""Windows that are over: their rows go, all of them, and nothing before its time."""

from datetime import datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from lifecycle import expire_now, hold, release, restore
from lifecycle.models import AgendaEntry, Event
from lifecycle.policy.registry import get_policy
from lifecycle.promises import check as promises
from lifecycle.testing import capture_off, run_until, set_clock
from purge.passes.options import PassOptions, SweepPosition
from purge.runner import run_due, run_policy
from purge.sources.windows import sweep
from purge.sources.windows.sweep import find_windows
from tests.purge.sources.windows.support import MONTH, NOON, day, trace, windows
from tests.support import SetHours, kinds
from tests.zoo.models import Badge, Knock, Proof, Trace

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _noon(transactional_db: None) -> None:
    set_clock(NOON)


def left() -> list[str]:
    return list(Trace.objects.order_by("label").values_list("label", flat=True))


def test_rows_go_when_their_window_is_over() -> None:
    trace(day(20), label="a")
    trace(day(20, 23), label="b")
    trace(day(21), label="c")
    run_until(day(20, 23))
    assert left() == ["a", "b", "c"]
    run_until(day(21))
    assert left() == ["c"]
    assert windows() == [day(21)]
    purged = Event.objects.get(policy="traces", kind="purged")
    assert (purged.count, len(purged.subjects)) == (2, 2)
    assert purged.detail["windows"] == ["2026-03-20T00:00:00+00:00"]


def test_every_row_of_a_large_window_goes_in_small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(get_policy("traces"), "batch_rows", 7)
    Trace.objects.bulk_create(
        Trace(made_at=day(20, n % 3) - MONTH, wanted=n % 5 == 0) for n in range(40)
    )
    ended = run_until(day(21))
    assert ended["traces"]["purged"] == 32
    assert Trace.objects.count() == 8
    assert Event.objects.filter(kind="purged").count() >= 5


@pytest.mark.slow
def test_a_kept_row_stays_in_its_window_and_goes_when_nothing_keeps_it() -> None:
    row = trace(day(20), label="kept", wanted=True)
    trace(day(20), label="gone")
    run_until(day(21, 1))
    assert left() == ["kept"]
    assert windows() == [day(20)]
    run_until(day(24))
    assert left() == ["kept"]
    assert AgendaEntry.objects.filter(policy="traces").count() == 1
    Trace.objects.filter(pk=row.pk).update(wanted=False)
    run_until(day(26))
    assert left() == []
    assert windows() == []


@pytest.mark.slow
def test_a_held_row_stays_until_it_is_released() -> None:
    row = trace(day(20), label="held")
    hold(row)
    trace(day(20), label="gone")
    run_until(day(23))
    assert left() == ["held"]
    release(row)
    run_until(day(23, 1))
    assert left() == []


@pytest.mark.slow
@pytest.mark.parametrize("released", [day(11), day(20, 4), day(20, 12), day(20, 20)])
def test_a_row_that_is_let_go_ends_with_its_window(released: datetime) -> None:
    row = trace(day(20, 8), label="let go")
    trace(day(20, 6), label="other")
    trace(day(22), label="later")
    hold(row)
    run_until(released)
    release(row)
    run_until(day(20, 23))
    assert left() == ["later", "let go", "other"]
    run_until(day(21, 1))
    assert left() == ["later"]
    assert not any(promises.check().values())


@pytest.mark.slow
@pytest.mark.parametrize("released", [0, 30, 90])  # minutes
def test_with_a_grace_too(released: int) -> None:
    """Its window is over at 13, its grace at 14."""
    row = Knock.objects.create(until=NOON + timedelta(minutes=20))
    hold(row)
    run_until(NOON + timedelta(minutes=released))
    release(row)
    run_until(NOON + timedelta(minutes=115))
    assert Knock.objects.exists()
    run_until(NOON + timedelta(hours=2 if released < 60 else 3, minutes=1))
    assert not Knock.objects.exists()
    assert not any(promises.check().values())


@pytest.mark.slow
def test_a_restored_row_is_left_alone_until_its_date() -> None:
    row = trace(day(20), label="back")
    run_until(day(20, 12))
    restore(row, until=day(25))
    run_until(day(24))
    assert left() == ["back"]
    run_until(day(25, 1))
    assert left() == []


@pytest.mark.slow
def test_a_changed_end_drops_the_restore() -> None:
    row = trace(day(20), label="back")
    restore(row)
    run_until(day(24))
    assert left() == ["back"]
    Trace.objects.filter(pk=row.pk).update(made_at=day(25) - MONTH)
    run_until(day(26))
    assert left() == []


def test_a_row_can_be_expired_by_hand() -> None:
    row = trace(day(20))
    expire_now(row, "traces")
    run_until(NOON + timedelta(hours=1))
    assert left() == []


@pytest.mark.slow
def test_a_protected_row_is_blocked_and_the_others_go() -> None:
    row = trace(day(20), label="proved")
    proof = Proof.objects.create(trace=row)
    trace(day(20), label="gone")
    run_until(day(21))
    assert left() == ["proved"]
    told = Event.objects.get(kind="blocked")
    assert told.subjects == [str(row.pk)]
    assert told.detail["window"] == "2026-03-20T00:00:00+00:00"
    run_until(day(22))
    assert AgendaEntry.objects.filter(policy="traces").count() == 1
    proof.delete()
    run_until(day(24))
    assert left() == []


@pytest.mark.slow
def test_a_grace_begins_when_the_window_is_tombstoned() -> None:
    Knock.objects.create(until=day(20, 5))
    run_until(day(20, 6))
    assert kinds(policy="knocks") == ["expiry_scheduled", "tombstoned"]
    assert Knock.objects.count() == 1
    Knock.objects.create(until=day(20, 5))
    run_until(day(20, 7) + timedelta(seconds=2))
    run_until(day(20, 7) + timedelta(seconds=3))
    assert Knock.objects.count() == 2 or kinds(policy="knocks").count("tombstoned") == 2
    run_until(day(20, 9))
    assert Knock.objects.count() == 0


@pytest.mark.slow
def test_a_row_that_came_past_the_triggers_is_found() -> None:
    with capture_off():
        trace(day(9), label="late")
        trace(day(20), label="early")
    assert windows() == []
    find_windows()
    assert windows() == [day(9)]
    run_due()
    assert left() == ["early"]


def test_the_command_finds_it_where_no_worker_runs() -> None:
    with capture_off():
        trace(day(9), label="late")
    call_command("purge", stdout=StringIO())
    assert left() == []


def test_a_late_row_is_found_beside_one_that_is_kept() -> None:
    trace(day(9), label="kept", wanted=True)
    run_due()
    assert left() == ["kept"]
    with capture_off():
        trace(day(9, 3), label="late")
    before = Event.objects.count()
    find_windows()
    find_windows()
    assert Event.objects.count() == before + 1
    run_due()
    assert left() == ["kept"]
    find_windows()
    assert Event.objects.filter(kind="expiry_scheduled").count() == 2


def test_rows_of_secrets_end_and_are_counted() -> None:
    Badge.objects.bulk_create(Badge(secret=f"hush{n}", until=day(20, 5)) for n in range(3))
    run_until(day(20, 6))
    assert not Badge.objects.exists()
    purged = Event.objects.get(policy="badges", kind="purged")
    assert (purged.count, purged.subjects, purged.identities) == (3, [], None)


def test_a_dry_run_shows_what_would_go_and_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(get_policy("traces"), "batch_rows", 2)
    for n in range(5):
        trace(day(8, n))
    before = Event.objects.count()
    done = run_policy(get_policy("traces"), PassOptions(dry=True))
    assert done.purged == 5
    assert (Trace.objects.count(), Event.objects.count()) == (5, before)


def test_more_than_the_cap_halts_before_the_first_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(get_policy("traces"), "cap_rows", 3)
    for n in range(4):
        trace(day(8, n))
    done = run_policy(get_policy("traces"))
    assert done.halted
    assert Trace.objects.count() == 4


def test_a_policy_that_observes_ends_nothing_and_a_pause_waits() -> None:
    trace(day(8))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE lifecycle_policy SET state = 'observe' WHERE name = 'traces'")
    run_due()
    assert Trace.objects.count() == 1
    with connection.cursor() as cursor:
        cursor.execute("UPDATE lifecycle_policy SET state = 'enabled' WHERE name = 'traces'")
    run_due()
    assert Trace.objects.count() == 0


def test_outside_the_purge_hours_windows_are_only_tombstoned(set_hours: SetHours) -> None:
    set_clock(timezone.now())
    trace(timezone.now() - timedelta(days=2))
    set_hours("traces")
    run_due()
    assert Trace.objects.count() == 1
    assert kinds(policy="traces") == ["expiry_scheduled", "tombstoned"]
    set_hours("traces", is_open=True)
    run_due()
    assert Trace.objects.count() == 0


def test_a_host_that_deletes_leaves_an_empty_window() -> None:
    trace(day(20)).delete()
    run_until(day(21, 1))
    assert windows() == []
    assert kinds(model="zoo.trace") == ["expiry_scheduled", "deleted"]


def test_rows_that_end_at_one_moment_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each reading goes through all of them; a row that comes past the reading is found as well."""
    monkeypatch.setattr(get_policy("traces"), "batch_rows", 2)
    for number in range(7):
        trace(day(1), label=str(number))
    trace(day(20), label="later")
    read: list[int] = []
    original = sweep.WindowRows._read

    def counted(self: sweep.WindowRows, position: SweepPosition, limit: int) -> object:
        found = original(self, position, limit)
        read.append(sum(each.number for each in found))
        if len(read) == 1:
            trace(day(1), label="came past")
        return found

    monkeypatch.setattr(sweep.WindowRows, "_read", counted)
    run_policy(get_policy("traces"))
    assert read == [7]
    assert left() == ["came past", "later"]
    run_until(day(11))
    assert left() == ["later"]
