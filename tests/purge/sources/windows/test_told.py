"""What people are told of rows that go by windows, and what a site gets of it."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from lifecycle import tombstoned
from lifecycle.insight.forecast import forecast
from lifecycle.insight.status import statuses
from lifecycle.insight.why import why
from lifecycle.models import Event
from lifecycle.policy.registry import get_policy
from lifecycle.promises import check as promises
from lifecycle.promises.check import check
from lifecycle.testing import capture_off, run_until, set_clock
from purge.runner import run_policy
from tests.purge.sources.windows.support import NOON, day, dues, trace
from tests.zoo.models import Badge, Trace

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _noon(transactional_db: None) -> None:
    set_clock(NOON)


def test_why_says_with_which_window_a_row_goes() -> None:
    row = trace(day(20, 5), wanted=True)
    (says,) = why(Trace, str(row.pk)).verdicts
    assert says.says == (
        "is live until 2026-03-20 05:00:00 UTC, and ends with its window at 2026-03-21 00:00:00 UTC"
    )
    assert says.at == day(21)
    run_until(day(21, 1))
    (says,) = why(Trace, str(row.pk)).verdicts
    assert "kept by keep_while" in says.says
    assert says.at is not None
    assert day(22) <= says.at < day(22, 2)


def test_a_row_past_its_end_is_hidden_before_its_window_is_over() -> None:
    trace(day(10, 3))
    assert Trace.objects.live().count() == 0
    assert tombstoned(Trace).count() == 1


def test_status_counts_windows() -> None:
    for hour in range(5):
        trace(day(20, hour))
    trace(day(9))
    found = {each.policy: each for each in statuses()}["traces"]
    assert (found.scheduled, found.due, found.capture) == (1, 1, "windows")


def test_sessions_leave_nothing_to_clearsessions(client: object) -> None:
    set_clock(timezone.now())
    for age in (-90, -30, 90, 10_000):
        Session.objects.create(
            session_key=f"k{age}", expire_date=timezone.now() + timedelta(minutes=age)
        )
    run_until(timezone.now() + timedelta(hours=3))
    assert list(Session.objects.values_list("session_key", flat=True)) == ["k10000"]
    before = Event.objects.count()
    call_command("clearsessions")
    assert Event.objects.count() == before
    assert not Event.objects.filter(model="sessions.session").exclude(subjects_text=None).exists()


@pytest.mark.slow
@pytest.mark.plants(1, 10, 11)
def test_promises_find_what_breaks_them() -> None:
    run = "SELECT lifecycle.write_v1(%s, %s, %s, {}, 1, NULL, NULL, NULL, %s, NULL)"
    keys = "ROW(NULL, NULL, ARRAY['hush'], NULL)::lifecycle.subjects"
    window = '{"windows": ["2026-03-20T00:00:00+00:00"]}'
    with capture_off():
        trace(day(9))
    with connection.cursor() as cursor:
        cursor.execute(run.format("NULL"), ["purged", "traces", "zoo.trace", window])
        cursor.execute(run.format(keys), ["deleted", "", "zoo.badge", "{}"])
    trace(day(20))
    with connection.cursor() as cursor:
        cursor.execute(run.format("NULL"), ["purged", "traces", "zoo.trace", window])
    found = {name: [each.problem for each in those] for name, those in check().items() if those}
    assert [*found] == [promises.names()[n] for n in (0, *_places(10, 11))]
    early, too_early = found[promises.names()[0]]
    assert early == "purged, and no event says when its window is over"
    assert too_early.startswith("purged before the end of its window at 2026-03-21")


def _places(*numbers: int) -> list[int]:
    wanted = [f"promise_{number:02}" for number in numbers]
    return [n for n, name in enumerate(promises.names()) if name[:10] in wanted]


def test_an_override_ends_secrets_and_names_none() -> None:
    from purge import run

    Badge.objects.create(secret="hush", until=day(20))
    done = run("badges", actor="ops: jo", within=timedelta(days=30))
    assert done.purged == 1
    told = Event.objects.filter(model="zoo.badge", kind__in=("purged", "expired_by_hand"))
    assert [each.subjects for each in told if each.count] == [[], []]
    assert {each.actor for each in told} == {"ops: jo"}


def test_a_pass_reads_no_more_than_its_windows() -> None:
    trace(day(9))
    trace(day(25))
    done = run_policy(get_policy("traces"))
    assert (done.looked, done.purged) == (1, 1)


def test_a_forecast_counts_the_rows_of_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(get_policy("traces"), "cap_rows", 2)
    for hour in range(3):
        trace(day(9, hour))
    found = forecast(get_policy("traces"))
    assert (found.listed, found.past, found.over) == (1, 3, True)


@pytest.mark.parametrize(("hour", "due"), [(0, day(1)), (1, day(1).replace(month=4))])
def test_windows_of_a_period_fall_due_together_at_its_end(hour: int, due: object) -> None:
    set_clock(day(1).replace(month=2))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT lifecycle.window_due_v1(%s, 'month')", [day(1) + timedelta(hours=hour)]
        )
        assert cursor.fetchone()[0] == due


def test_a_period_waits_for_its_end_also_with_what_comes_late() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT lifecycle.windowed_v1('traces', 'zoo.trace', %s, 'day', 'month', '{}')",
            [[day(3), day(20), day(31)]],
        )
    april = day(1).replace(month=4)
    assert dues() == [april, april, april]
