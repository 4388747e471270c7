"""Purge hours: outside of them rows are tombstoned, and none goes."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from lifecycle import live, restore
from lifecycle.policy import purge_hours as hours
from lifecycle.policy.registry import get_policy
from lifecycle.promises import check as promises
from purge.passes.due import due_policies
from purge.passes.options import PassOptions
from purge.runner import run_due, run_policy
from tests.support import SetHours, events_of, let_pass
from tests.zoo.models import Account, Draft, Order, Ticket

AGO = timedelta(minutes=5)


class RequestedRows:
    """A policy in so far as its hours are concerned."""

    def __init__(self, *hours: int) -> None:
        self.purge_hours = hours or None


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("asked", "hour", "found"),
    [
        ((22, 6), 21, False),
        ((22, 6), 22, True),
        ((22, 6), 0, True),
        ((22, 6), 5, True),
        ((22, 6), 6, False),
        ((9, 17), 8, False),
        ((9, 17), 16, True),
        ((9, 17), 17, False),
        ((22, 0), 23, True),
        ((22, 0), 0, False),
        ((22, 24), 23, True),
        ((0, 24), 13, True),
        ((), 13, True),
    ],
)
def test_which_hours_are_open(asked: tuple[int, ...], hour: int, found: bool) -> None:
    policy: Any = RequestedRows(*asked)
    now = datetime(2026, 3, 5, hour, 59, 59, tzinfo=UTC)
    assert hours.is_open(policy, now) is found
    assert (hours.opens_at(policy, now) is None) is found
    opened = hours.opened_at(policy, now)
    if opened is not None:
        assert hours.is_open(policy, opened) is found
        assert not found or not hours.is_open(policy, opened - timedelta(seconds=1))
    closes = hours.closes_at(policy, now)
    if closes is not None:
        assert not hours.is_open(policy, closes)
        assert (closes == now) is not found
        assert not found or hours.is_open(policy, closes - timedelta(seconds=1))


BERLIN = [
    # An ordinary night in March, the one that leaves out an hour, the one that has one twice.
    ("2026-03-05T23:30+01:00", (22, 6), "2026-03-05T22:00+01:00", None),
    ("2026-03-29T04:00+02:00", (2, 6), "2026-03-29T03:00+02:00", None),
    ("2026-03-29T01:00+01:00", (2, 6), "2026-03-29T01:00+01:00", "2026-03-29T03:00+02:00"),
    ("2026-03-29T00:30+01:00", (2, 3), "2026-03-29T00:30+01:00", "2026-03-30T02:00+02:00"),
    ("2026-10-25T02:30+02:00", (2, 3), "2026-10-25T02:00+02:00", None),
    ("2026-10-25T02:30+01:00", (2, 3), "2026-10-25T02:00+02:00", None),
    ("2026-10-25T03:00+01:00", (2, 3), "2026-10-25T03:00+01:00", "2026-10-26T02:00+01:00"),
]


@pytest.mark.parametrize(("now", "asked", "opened", "opens"), BERLIN)
def test_nights_in_which_the_clocks_change(
    settings: Any, now: str, asked: tuple[int, int], opened: str, opens: str | None
) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    policy: Any = RequestedRows(*asked)
    assert hours.opened_at(policy, at(now)) == at(opened)
    assert hours.opens_at(policy, at(now)) == (opens and at(opens))


@pytest.mark.parametrize(
    ("now", "asked", "closes"),
    [
        ("2026-03-29T01:30+01:00", (1, 2), "2026-03-29T03:00+02:00"),
        ("2026-10-25T02:30+02:00", (2, 3), "2026-10-25T03:00+01:00"),
        ("2026-10-24T23:30+02:00", (22, 6), "2026-10-25T06:00+01:00"),
        ("2026-03-28T23:30+01:00", (20, 24), "2026-03-29T00:00+01:00"),
    ],
)
def test_when_it_closes_in_such_a_night(
    settings: Any, now: str, asked: tuple[int, int], closes: str
) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    policy: Any = RequestedRows(*asked)
    assert hours.closes_at(policy, at(now)) == at(closes)


def test_the_setting_is_for_policies_without_hours_of_their_own(settings: Any) -> None:
    settings.LIFECYCLE_PURGE_HOURS = (22, 6)
    noon = datetime(2026, 3, 5, 12, tzinfo=UTC)
    found: list[Any] = [RequestedRows(), RequestedRows(11, 13), RequestedRows(0, 24)]
    assert [hours.is_open(policy, noon) for policy in found] == [False, True, True]


@pytest.mark.django_db(transaction=True)
class TestOutside:
    def test_rows_are_tombstoned_and_stay(self, set_hours: SetHours) -> None:
        set_hours("tickets", "drafts")
        ticket = Ticket.objects.create(expires_at=timezone.now() - AGO)
        draft = Draft.objects.create(created_at=timezone.now() - timedelta(days=2))
        done = run_due()
        assert (done["tickets"].tombstoned, done["drafts"].tombstoned) == (1, 1)
        let_pass(timedelta(hours=2))
        set_hours("tickets", "drafts")
        assert run_due() == {}
        assert events_of(ticket) == ["expiry_scheduled", "tombstoned"]
        assert not live(Ticket).exists()
        set_hours("tickets", "drafts", is_open=True)
        done = run_due()
        assert (done["tickets"].purged, done["drafts"].purged) == (1, 1)
        assert events_of(draft)[-1] == "purged"

    def test_graces_in_a_column(self, set_hours: SetHours) -> None:
        set_hours("orders")
        for grace in (timedelta(0), timedelta(hours=1), timedelta(seconds=-5)):
            Order.objects.create(expires_at=timezone.now() - AGO, grace=grace)
        assert run_due()["orders"].tombstoned == 3
        let_pass(timedelta(seconds=1))
        assert due_policies() == []
        set_hours("orders", is_open=True)
        assert run_due()["orders"].purged == 2

    def test_nothing_is_updated(self, set_hours: SetHours) -> None:
        set_hours("accounts")
        Account.objects.create(seen_at=timezone.now() - timedelta(days=40))
        assert run_due() == {}
        assert run_policy(get_policy("accounts")).stopped == hours.OUTSIDE
        set_hours("accounts", is_open=True)
        assert run_due()["accounts"].updated == 1

    def test_a_person_may_end_rows_at_any_hour(self, set_hours: SetHours) -> None:
        set_hours("tickets", "accounts")
        Ticket.objects.create(expires_at=timezone.now() - AGO)
        Account.objects.create(seen_at=timezone.now() - timedelta(days=40))
        now = PassOptions(any_hour=True)
        assert run_policy(get_policy("tickets"), now).purged == 1
        assert run_policy(get_policy("accounts"), now).updated == 1

    def test_the_command_says_so(self, set_hours: SetHours) -> None:
        set_hours("tickets", "accounts")
        Ticket.objects.create(expires_at=timezone.now() - AGO)
        Account.objects.create(seen_at=timezone.now() - timedelta(days=40))
        run_due()
        let_pass(timedelta(seconds=1))
        out = StringIO()
        call_command("purge", stdout=out, stderr=out)
        assert "accounts: outside its purge hours" in out.getvalue()
        assert "tickets: outside its purge hours" in out.getvalue()

    def test_a_restored_row_is_not_purged_when_the_hours_begin(self, set_hours: SetHours) -> None:
        set_hours("tickets")
        ticket = Ticket.objects.create(expires_at=timezone.now() - AGO)
        run_due()
        restore(ticket)
        let_pass(timedelta(seconds=1))
        set_hours("tickets", is_open=True)
        run_due()
        assert live(Ticket).exists()

    def test_what_waits_for_its_hours_is_not_late(self, set_hours: SetHours) -> None:
        set_hours("tickets")
        Ticket.objects.create(expires_at=timezone.now() - AGO)
        run_due()
        let_pass(timedelta(hours=5))
        set_hours("tickets")
        late = "promise_11_nothing_forgotten"
        assert promises.check(only=[late]) == {late: []}
        set_hours("tickets", is_open=True)
        assert promises.check(only=[late]) == {late: []}
        assert promises.check(stated=timedelta(0), only=[late])[late]
