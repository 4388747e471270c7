"""What the triggers of a policy with windows record: windows, no rows."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from lifecycle.models import Event
from lifecycle.testing import set_clock
from tests.purge.sources.windows.support import MONTH, NOON, day, dues, trace, windows
from tests.zoo.models import Badge, Knock, Trace

pytestmark = pytest.mark.django_db


def test_a_window_is_known_once_however_many_rows_end_in_it() -> None:
    set_clock(NOON)
    Trace.objects.bulk_create(Trace(made_at=day(20, hour) - MONTH) for hour in range(20))
    trace(day(20, 23))
    trace(day(21))
    assert windows() == [day(20), day(21)]
    assert dues() == [day(21), day(22)]
    told = Event.objects.filter(policy="traces", kind="expiry_scheduled")
    assert [event.subjects for event in told] == [[], []]
    assert told[0].detail == {"window": "2026-03-20T00:00:00+00:00"}


def test_a_window_that_is_over_falls_due_now() -> None:
    set_clock(NOON)
    trace(day(1))
    assert windows() == [day(1)]
    assert NOON <= dues()[0] < NOON + timedelta(minutes=1)


def test_rows_without_an_end_and_outside_when_make_no_window() -> None:
    Trace.objects.create(made_at=None)
    trace(timezone.now(), label="pinned")
    assert windows() == []


def test_dates_that_no_client_can_read_have_windows_too() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO zoo_knock (until) VALUES ('infinity'), ('-infinity'), ('0044-03-15 BC')"
        )
    assert [each.year for each in windows("knocks")] == [1]


def test_only_a_moved_row_makes_its_window_known() -> None:
    set_clock(NOON)
    row, other = trace(day(20)), trace(day(20, 5))
    Trace.objects.update(label="seen")
    assert windows() == [day(20)]
    Trace.objects.filter(pk=row.pk).update(made_at=day(25, 3) - MONTH)
    assert windows() == [day(20), day(25)]
    Trace.objects.filter(pk=other.pk).update(made_at=None)
    assert windows() == [day(20), day(25)]


def test_a_row_that_comes_to_match_makes_its_window_known() -> None:
    set_clock(NOON)
    row = trace(day(20), label="pinned")
    Trace.objects.filter(pk=row.pk).update(label="")
    assert windows() == [day(20)]


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kolkata"])
def test_windows_are_of_utc_whatever_the_session_says(zone: str) -> None:
    set_clock(NOON)
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('timezone', %s, true)", [zone])
        cursor.execute(
            "INSERT INTO zoo_trace (label, made_at, wanted) VALUES ('', %s, false)",
            [day(20) - MONTH],
        )
        cursor.execute("SELECT set_config('timezone', 'UTC', true)")
    assert windows() == [day(20)]


def test_no_key_of_a_table_of_secrets_comes_into_the_ledger() -> None:
    Badge.objects.bulk_create(Badge(secret=f"hush{n}", until=timezone.now()) for n in range(3))
    Badge.objects.filter(secret="hush0").update(secret="hush9")
    Badge.objects.filter(secret="hush1").delete()
    Badge.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE zoo_badge")
    deleted = Event.objects.filter(model="zoo.badge", kind="deleted").order_by("id")
    assert [event.count for event in deleted] == [1, 2]
    told = str(list(Event.objects.filter(model="zoo.badge").values()))
    assert "hush" not in told


def test_the_hosts_write_goes_on_where_the_end_cannot_be_computed() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO zoo_trace (label, made_at, wanted)"
            " VALUES ('', '294276-12-31 00:00:00+00', false)"
        )
    assert list(Event.objects.filter(kind="capture_failed").values_list("count", flat=True)) == [0]


def test_a_rollback_takes_the_window_back() -> None:
    set_clock(NOON)
    with transaction.atomic():
        Knock.objects.create(until=day(20, 5))
        transaction.set_rollback(True)
    assert windows("knocks") == []
